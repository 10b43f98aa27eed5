"""Plans pull queries: which keys to look up, which rows to keep, what to show of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from embedded.ksql.errors import StatementError
from embedded.ksql.expressions.compiler import compile_predicate, compile_row_function
from embedded.ksql.expressions.errors import CodeError
from embedded.ksql.functions.casts import cast_function
from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.language import ast
from embedded.ksql.language.rewriting import walk
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.aggregation import refuse_aggregates_without_grouping
from embedded.ksql.planning.errors import typed_predicate, typed_selection
from embedded.ksql.planning.interface import CatalogView
from embedded.ksql.planning.join_rules import check_join_sources
from embedded.ksql.planning.plan import Format, Sink, TypedExpression, WindowInfo
from embedded.ksql.planning.projection import NULL_COLUMN, check_names
from embedded.ksql.planning.pseudo_timestamps import with_parsed_times
from embedded.ksql.planning.pull_conditions import HINT, Conditions, rewritten
from embedded.ksql.planning.queries import plan_push_query
from embedded.ksql.planning.resolution import Resolver, Selected, expand, struct_fields
from embedded.ksql.planning.sanitize import sanitize_query
from embedded.ksql.planning.source_names import AliasedSource, sources_of
from embedded.ksql.types import Column, Schema, SqlType

_WRONG_TYPES = "Error in WHERE expression: "
_NOTHING = Schema((), ())
_NOT_PULLED = {"ROWPARTITION", "ROWOFFSET"}
_ANY_ROW = Row(None, (), 0)


@dataclass(frozen=True, slots=True)
class PullColumn:
    """A column of the answer; the header marks key columns."""

    name: str
    type: SqlType
    is_key: bool


@dataclass(frozen=True, slots=True)
class PullPlan:
    """How to answer a pull query over a table; over a stream, ``stream`` is to be run up to the topic's end.

    ``keys`` are the keys to look up, None for a scan of all rows; ``accepts`` has to be asked of every row found
    either way, ``project`` gives the values of ``columns``.
    """

    source: str
    window: WindowInfo | None
    keys: tuple[tuple[Any, ...], ...] | None
    accepts: Callable[[Row], bool]
    project: Callable[[Row], tuple[Any, ...]]
    columns: tuple[PullColumn, ...]
    limit: int | None
    key_format: Format | None = None
    key: tuple[Column, ...] = ()
    stream: Sink | None = None

    @property
    def is_session_scan(self) -> bool:
        """Whether it is what ksqlDB refuses while it runs: "Table scan unsupported on session tables"."""
        return self.keys is None and self.window is not None and self.window.kind == "SESSION"


def plan_pull_query(query: ast.Query, catalog: CatalogView, library: FunctionLibrary) -> PullPlan:
    """Plan a SELECT without EMIT. Raises StatementError with ksqlDB's message.

    Whether the table is one that can be asked is for the caller to know; ``not_queryable`` is what to raise if not.
    """
    names = sources_of(query, catalog)
    check_join_sources(names)
    source = names.sources[0]
    if source.source.kind == "STREAM":
        return _stream(query, catalog, library)
    _refuse_clauses(query)
    sanitized = sanitize_query(query, catalog)
    _refuse_pseudo_columns(sanitized)
    resolver = Resolver(names)
    schema = source.source.schema
    select: list[Selected] = []
    for item in sanitized.select:
        if isinstance(item, ast.SelectStructAll):
            select += struct_fields(item, resolver, schema, library)
        else:
            select += expand(item, resolver, with_window=True)
    refuse_aggregates_without_grouping(select, library, None)
    where = resolver.resolve(with_parsed_times(sanitized.where), "WHERE") if sanitized.where is not None else None
    accepts: Callable[[Row], bool] = _every_row
    if where is not None:
        windowed = source.source.window is not None
        accepts = compile_predicate(_predicate(where, schema, library, is_windowed=windowed), schema, library)
    values = [typed_selection(item.expression, schema, library) for item in select]
    columns = tuple(_column(item, value, source) for item, value in zip(select, values, strict=True))
    check_names(Column(column.name, column.type) for column in columns if not column.is_key)
    return PullPlan(
        source=source.source.name,
        window=source.source.window,
        keys=_keys(where, schema, library),
        accepts=accepts,
        project=compile_row_function(values, schema, library, names=[item.name for item in select]),
        columns=columns,
        limit=query.limit,
        key_format=source.source.key_format,
        key=schema.key,
    )


def not_queryable(name: str) -> StatementError:
    """Return the error for a table that no query of this server keeps the rows of."""
    return StatementError(
        f"The `{name}` table isn't queryable. To derive a queryable table, you can do "  # noqa: S608  # a message
        f"'CREATE TABLE QUERYABLE_{name} AS SELECT * FROM {name}'.{HINT}"
    )


def _stream(query: ast.Query, catalog: CatalogView, library: FunctionLibrary) -> PullPlan:
    _refuse_clauses(query)
    _refuse_pseudo_columns(query)
    sink = plan_push_query(query, catalog, library)
    columns = tuple(PullColumn(column.name, column.type, is_key=False) for column in sink.schema.value)
    return PullPlan(query.source.name, None, None, _every_row, _whole_value, columns, query.limit, stream=sink)


def _every_row(_: Row) -> bool:
    return True


def _whole_value(row: Row) -> tuple[Any, ...]:
    return row.value or ()


def _predicate(
    where: ast.Expression, schema: Schema, library: FunctionLibrary, *, is_windowed: bool
) -> TypedExpression:
    """Return the condition as rows are asked. Raises StatementError, first for types of plain comparisons."""
    try:
        typed_predicate("WHERE", where, schema, library)
    except StatementError as error:
        if error.message.startswith(_WRONG_TYPES) and not any(isinstance(part, ast.Between) for part in walk(where)):
            raise
    Conditions(schema, library, is_windowed=is_windowed).check(where)
    try:
        return typed_predicate("WHERE", rewritten(where), schema, library)
    except StatementError as error:
        for prefix in (_WRONG_TYPES, "Invalid Predicate: "):
            if error.message.startswith(prefix):
                raise StatementError(f"Invalid expression: {error.message.removeprefix(prefix)}") from error
        raise


def _refuse_clauses(query: ast.Query) -> None:
    clauses = {
        "JOIN": query.joins,
        "WINDOW": query.window,
        "GROUP BY": query.group_by,
        "PARTITION BY": query.partition_by,
        "HAVING": query.having,
    }
    for clause, there in clauses.items():
        if there:
            raise StatementError(f"Pull queries don't support {clause} clauses.{HINT}")
    if query.limit is not None and query.limit < 0:
        raise StatementError(f"Pull queries don't support negative integers in the LIMIT clause.{HINT}")


def _refuse_pseudo_columns(query: ast.Query) -> None:
    for clause, part in (("SELECT", query.select), ("WHERE", query.where)):
        names = [one.name for one in walk(part) if isinstance(one, ast.ColumnReference)]
        wrong = sorted({f"`{name}`" for name in names if name in _NOT_PULLED})
        if wrong:
            raise StatementError(
                f"Pull queries don't support the following columns in {clause} clauses: {', '.join(wrong)}"
            )


def _column(item: Selected, value: TypedExpression, source: AliasedSource) -> PullColumn:
    if value.type is None:
        raise StatementError(NULL_COLUMN)
    keys = {column.name for column in source.source.schema.key}
    if source.source.window is not None:
        keys |= {"WINDOWSTART", "WINDOWEND"}
    is_key = isinstance(item.expression, ast.ColumnReference) and item.expression.name in keys
    return PullColumn(item.name, value.type, is_key and item.name in keys)


def _keys(where: ast.Expression | None, schema: Schema, library: FunctionLibrary) -> tuple[tuple[Any, ...], ...] | None:
    """Return the keys that the condition allows, or None if it does not pin every key column."""
    allowed: dict[str, list[Any]] = {}
    types = {column.name: column.type for column in schema.key}
    for condition in _conjuncts(where):
        found = _pinned(condition, types, library)
        if found is not None:
            allowed.setdefault(*found)
    if not types or set(allowed) != set(types):
        return None
    keys: list[tuple[Any, ...]] = []
    for key in itertools.product(*(allowed[column.name] for column in schema.key)):
        if key not in keys:
            keys.append(key)
    return tuple(keys)


def _conjuncts(where: ast.Expression | None) -> list[ast.Expression]:
    if where is None:
        return []
    if isinstance(where, ast.Logical) and where.operator == "AND":
        return [*_conjuncts(where.left), *_conjuncts(where.right)]
    return [where]


def _pinned(
    condition: ast.Expression, types: dict[str, SqlType], library: FunctionLibrary
) -> tuple[str, list[Any]] | None:
    match condition:
        case ast.Comparison("=", ast.ColumnReference(name), value) if name in types:
            options: tuple[ast.Expression, ...] = (value,)
        case ast.Comparison("=", value, ast.ColumnReference(name)) if name in types:
            options = (value,)
        case ast.InList(ast.ColumnReference(name), items) if name in types:
            options = items
        case _:
            return None
    values = [_constant(option, types[name], library) for option in options]
    return None if None in values else (name, values)


def _constant(expression: ast.Expression, target: SqlType, library: FunctionLibrary) -> Any:
    """Return the value of an expression without columns as a key, None if it is not one (then rows are scanned)."""
    try:
        typed = typed_selection(expression, _NOTHING, library)
        if typed.type is None:
            return None
        (value,) = compile_row_function([typed], _NOTHING, library)(_ANY_ROW)
        key = cast_function(typed.type, target)(value)
    except (StatementError, CodeError, ArithmeticError):
        return None
    return key if key == value or typed.type.base is not target.base else None
