"""The last step of a query: its output columns, with the key where it belongs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from embedded.ksql.errors import StatementError
from embedded.ksql.expressions.errors import CodeError
from embedded.ksql.expressions.scope import PSEUDO_COLUMNS, WINDOW_BOUNDS
from embedded.ksql.expressions.typing import type_of
from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.language import ast
from embedded.ksql.planning.errors import join_words, typed_selection
from embedded.ksql.planning.plan import NamedExpression, Project, TypedExpression
from embedded.ksql.planning.resolution import Selected
from embedded.ksql.planning.stage import FOREIGN_KEY_SOURCE, KeyPart, Stage
from embedded.ksql.types import Base, Column, Schema, SqlType

NULL_COLUMN = "Can't infer a type of null. Please explicitly cast it to a required type, e.g. CAST(null AS VARCHAR)."
_WIDENING = (Base.INTEGER, Base.BIGINT, Base.DECIMAL, Base.DOUBLE)


def project_result(stage: Stage, select: Sequence[Selected], library: FunctionLibrary, sink: str) -> Project:
    """Return the projection of a persistent query, its key columns taken out of the select list.

    Raises StatementError if a key column is missing or there twice, a name is reserved or there twice.
    """
    chosen = [_key_items(key, select) for key in stage.keys]
    if any(not items for items in chosen):
        raise _missing_key(stage, [part for part, items in zip(stage.keys, chosen, strict=True) if not items], sink)
    for key, items in zip(stage.keys, chosen, strict=True):
        if len(items) > 1:
            raise _repeated_key(stage, key, items)
    key_items = [items[0] for items in chosen]
    schema = stage.plan.schema
    keys = tuple(Column(item.name, column.type) for item, column in zip(key_items, schema.key, strict=True))
    values = [item for item in select if not any(item is key_item for key_item in key_items)]
    columns = tuple(_named(item, schema, library) for item in values)
    output = Schema(keys, _columns(columns))
    check_names([*keys, *output.value])
    return Project(stage.plan, columns, output, stage.is_table)


def widened(projection: Project, target: Schema) -> Project:
    """Return the projection with its numbers cast to the wider types of the stream it is inserted into."""
    wanted = {column.name: column.type for column in target.value}
    columns: list[NamedExpression] = []
    for column in projection.columns:
        kind = wanted.get(column.name)
        if kind is not None and column.value.type is not None and _widens(column.value.type, kind):
            expression = TypedExpression(ast.Cast(column.value.expression, kind), kind)
            columns.append(NamedExpression(column.name, expression))
        else:
            columns.append(column)
    schema = Schema(projection.schema.key, _columns(columns))
    return replace(projection, columns=tuple(columns), schema=schema)


def _widens(kind: SqlType, target: SqlType) -> bool:
    if kind.base is Base.DECIMAL and target.base is Base.DECIMAL:
        return target.scale >= kind.scale and target.precision - target.scale >= kind.precision - kind.scale
    if kind.base not in _WIDENING or target.base not in _WIDENING:
        return False
    return _WIDENING.index(kind.base) < _WIDENING.index(target.base)


def project_rows(stage: Stage, select: Sequence[Selected], library: FunctionLibrary) -> Project:
    """Return the projection of a push query: every selected column, keys too, is part of the value, in order."""
    columns = tuple(_named(item, stage.plan.schema, library) for item in select)
    keys = tuple(Column(part.name, column.type) for part, column in zip(stage.keys, stage.plan.schema.key, strict=True))
    output = Schema(keys, _columns(columns))
    check_names(output.value)
    return Project(stage.plan, columns, output, stage.is_table)


def _named(item: Selected, schema: Schema, library: FunctionLibrary) -> NamedExpression:
    return NamedExpression(item.name, typed_selection(item.expression, schema, library))


def _columns(columns: Sequence[NamedExpression]) -> tuple[Column, ...]:
    found: list[Column] = []
    for column in columns:
        if column.value.type is None:
            raise StatementError(NULL_COLUMN)
        found.append(Column(column.name, column.value.type))
    return tuple(found)


def _key_items(key: KeyPart, select: Sequence[Selected]) -> list[Selected]:
    """Return the items that select a key column: by the first of its expressions that is selected at all."""
    for expression in key.expressions:
        items = [item for item in select if item.expression == expression]
        if items:
            return items
    return []


def check_reserved(items: Sequence[ast.SelectItem | ast.SelectAll | ast.SelectStructAll]) -> None:
    """Raise StatementError for a selected column with the name of a pseudo column."""
    for item in items:
        name = item.alias if isinstance(item, ast.SelectItem) else None
        if not isinstance(item, ast.SelectItem) or (name not in PSEUDO_COLUMNS and name not in WINDOW_BOUNDS):
            continue
        if isinstance(item.expression, ast.ColumnReference) and item.expression.name == name:
            raise StatementError(f"Reserved column name in select: `{name}`. Please remove or alias the column.")
        raise StatementError(f"`{name}` is a reserved column name. You cannot use it as an alias for a column.")


def check_types(select: Sequence[Selected], schema: Schema, library: FunctionLibrary) -> None:
    """Raise the errors of the select list that ksqlDB finds before it looks for the key."""
    for item in select:
        with suppress(CodeError):
            type_of(item.expression, schema, library)


def _missing_key(stage: Stage, missing: Sequence[KeyPart], sink: str) -> StatementError:
    if stage.key_kind == FOREIGN_KEY_SOURCE:
        return _missing_primary_key(stage, missing)
    several = len(stage.keys) > 1
    parts = missing if stage.key_kind == "grouping expression" else stage.keys
    labels = [part.labels[0] for part in parts] if several else list(stage.keys[0].labels)
    plural = "s" if len(labels) > 1 else ""
    example = ", ".join(labels) if several else labels[0]
    synthetic = (
        f"\n{labels[0]} was added as a synthetic key column because the join criteria did not match any source column. "
        "This expression must be included in the projection and may be aliased."
        if stage.synthetic_key
        else ""
    )
    return StatementError(
        "Key missing from projection (ie, SELECT). \n"
        f"The query used to build `{sink}` must include the {stage.key_kind}{plural} "
        f"{join_words(labels, 'and' if several else 'or')} in its projection (eg, SELECT {example}...).{synthetic}"
    )


def _missing_primary_key(stage: Stage, missing: Sequence[KeyPart]) -> StatementError:
    plural = "s" if len(missing) > 1 else ""
    table = stage.keys[0].labels[0].partition(".")[0]
    listed = ", ".join(f"`{part.labels[0].partition('.')[2]}`" for part in missing)
    return StatementError(
        f"Primary key column{plural} missing in projection. For foreign-key table-table joins, the projection must "
        f"include all primary key columns from the left input table (`{table}`). Missing column{plural}: {listed}."
    )


def _repeated_key(stage: Stage, key: KeyPart, items: Sequence[Selected]) -> StatementError:
    if stage.key_kind == "grouping expression":
        names = join_words([f"`{item.name}`" for item in items], "and")
        what = f"The projection contains a key column more than once: {names}."
    else:
        names = join_words(sorted(item.name for item in items), "and")
        what = f"The projection contains a key column (`{key.name}`) more than once, aliased as: {names}."
    return StatementError(
        f"{what}\nEach key column must only be in the projection once. If you intended to copy the key into the value, "
        "then consider using the AS_VALUE function to indicate which key reference should be copied."
    )


def check_names(columns: Iterable[Column]) -> None:
    """Raise StatementError if two columns of a value have the same name."""
    seen: set[str] = set()
    again = [column for column in columns if column.name in seen or seen.add(column.name)]  # type: ignore[func-returns-value]
    if again:
        listed = ", ".join(f"`{column.name}` {column.type}" for column in again)
        raise StatementError(f"Duplicate value columns found in schema: {listed}")
