"""Prints statements and queries the way ksqlDB shows them in statement texts and query strings."""

from __future__ import annotations

from embedded.ksql.language import ast
from embedded.ksql.language.expression_formatter import format_expression, format_name, format_string, format_type

__all__ = ["format_columns", "format_expression", "format_name", "format_query", "format_statement", "format_type"]


def format_statement(statement: ast.Statement) -> str:  # noqa: PLR0911  # one line a kind of statement reads best
    """Return the canonical text of a statement that makes, fills or drops a source, semicolon included.

    Raises TypeError for other statements: ksqlDB repeats those as they were sent.
    """
    match statement:
        case ast.Query():
            return format_query(statement) + ";"
        case ast.CreateSource():
            return _create_source(statement) + ";"
        case ast.CreateAsSelect():
            head = _head(statement.kind, statement.name, statement.or_replace, statement.if_not_exists)
            return f"{head}{_properties(statement.properties)} AS {format_query(statement.query)};"
        case ast.InsertSelect(target, query, properties):
            return f"INSERT INTO {format_name(target)}{_properties(properties)} {format_query(query)};"
        case ast.InsertValues(target, columns):
            # ksqlDB hides the values, here and in its logs.
            listed = ", ".join(f"`{column}`" for column in columns)
            hidden = ", ".join("'[value]'" for _ in statement.values)
            return f"INSERT INTO `{target}` {f'({listed}) ' if columns else ''}VALUES ({hidden});"
        case ast.DropSource(kind, name, if_exists):
            return f"DROP {kind} {'IF EXISTS ' if if_exists else ''}{format_name(name)};"
        case ast.RegisterType(name, kind):
            return f"CREATE TYPE {format_name(name)} AS {format_type(kind)};"
    raise TypeError(f"no canonical text for {type(statement).__name__}")


def format_query(query: ast.Query) -> str:
    """Return a query's canonical text, without a semicolon."""
    lines = [f"SELECT{_select_list(query.select)}", f"FROM {_source(query.source)}"]
    lines += [_join(join) for join in query.joins]
    if query.window:
        lines.append(_window(query.window))
    if query.where is not None:
        lines.append(f"WHERE {format_expression(query.where)}")
    if query.group_by:
        lines.append(f"GROUP BY {', '.join(map(format_expression, query.group_by))}")
    if query.partition_by:
        lines.append(f"PARTITION BY {', '.join(map(format_expression, query.partition_by))}")
    if query.having is not None:
        lines.append(f"HAVING {format_expression(query.having)}")
    if query.emit:
        lines.append(f"EMIT {query.emit}")
    if query.limit is not None:
        lines.append(f"LIMIT {query.limit}")
    return "\n".join(lines)


def format_columns(columns: tuple[ast.ColumnDefinition, ...]) -> str:
    """Return column definitions as in CREATE, without the parentheses."""
    return ", ".join(map(_column, columns))


def _head(kind: str, name: str, or_replace: bool, if_not_exists: bool, *, read_only: bool = False) -> str:
    return (
        f"CREATE {'OR REPLACE ' if or_replace else ''}{'SOURCE ' if read_only else ''}{kind}"
        f" {'IF NOT EXISTS ' if if_not_exists else ''}{format_name(name)}"
    )


def _create_source(statement: ast.CreateSource) -> str:
    head = _head(
        statement.kind,
        statement.name,
        statement.or_replace,
        statement.if_not_exists,
        read_only=statement.read_only,
    )
    columns = f" ({format_columns(statement.columns)})" if statement.columns else ""
    return f"{head}{columns}{_properties(statement.properties)}"


def _column(column: ast.ColumnDefinition) -> str:
    ending = f" {column.constraint}" if column.constraint else ""
    if column.constraint == "HEADER" and column.header is not None:
        ending = f" HEADER({format_string(column.header)})"
    return f"{format_name(column.name)} {format_type(column.type)}{ending}"


def _properties(properties: ast.Properties) -> str:
    if not properties:
        return ""
    listed = ", ".join(f"{name}={format_expression(value)}" for name, value in sorted(properties, key=lambda p: p[0]))
    return f" WITH ({listed})"


def _select_list(items: tuple[ast.SelectItem | ast.SelectAll | ast.SelectStructAll, ...]) -> str:
    if len(items) == 1:
        return f" {_select_item(items[0])}"
    return ",".join(f"\n  {_select_item(item)}" for item in items)


def _select_item(item: ast.SelectItem | ast.SelectAll | ast.SelectStructAll) -> str:
    match item:
        case ast.SelectAll(qualifier):
            return f"{format_name(qualifier)}.*" if qualifier else "*"
        case ast.SelectStructAll(base):
            return f"{format_expression(base)}->*"
        case ast.SelectItem(expression, alias):
            return format_expression(expression) + (f" {format_name(alias)}" if alias else "")


def _source(source: ast.Source) -> str:
    return f"{format_name(source.name)} {format_name(source.alias or source.name)}"


def _join(join: ast.Join) -> str:
    outer = "" if join.kind == "INNER" else " OUTER"
    within = f" WITHIN {_within(join.within)}" if join.within else ""
    return f"{join.kind}{outer} JOIN {_source(join.source)}{within} ON ({format_expression(join.condition)})"


def _within(within: ast.Within) -> str:
    if within.before == within.after:
        text = _duration(within.before)
    else:
        text = f"({_duration(within.before)}, {_duration(within.after)})"
    return text + (f" GRACE PERIOD {_duration(within.grace)}" if within.grace else "")


def _window(window: ast.Window) -> str:
    parts = [_duration(window.size) if window.kind == "SESSION" else f"SIZE {_duration(window.size)}"]
    if window.advance:
        parts.append(f"ADVANCE BY {_duration(window.advance)}")
    if window.retention:
        parts.append(f"RETENTION {_duration(window.retention)}")
    if window.grace:
        parts.append(f"GRACE PERIOD {_duration(window.grace)}")
    return f"WINDOW {window.kind} ( {' , '.join(parts)} ) "


def _duration(duration: ast.Duration) -> str:
    return f"{duration.value} {duration.unit}S"
