"""Joins: which kind two inputs allow, on which keys, and the plan for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal

from embedded.ksql.errors import StatementError
from embedded.ksql.expressions.scope import PSEUDO_COLUMNS, WINDOW_BOUNDS
from embedded.ksql.expressions.typing import type_of
from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.join_rules import (
    Side,
    check_criteria,
    check_join_kind,
    check_join_sources,
    criteria,
    late_errors,
)
from embedded.ksql.planning.plan import (
    ForeignKeyJoin,
    NamedExpression,
    Plan,
    Project,
    Rekey,
    Source,
    StreamStreamJoin,
    StreamTableJoin,
    TableTableJoin,
    TypedExpression,
)
from embedded.ksql.planning.resolution import SYNTHETIC_KEY, Resolver
from embedded.ksql.planning.source_names import AliasedSource, SourceNames, join_column
from embedded.ksql.planning.stage import FOREIGN_KEY_SOURCE, KeyPart, Stage
from embedded.ksql.planning.with_clause import refuse_maps
from embedded.ksql.types import Column, Schema, SqlType


def plan_joins(
    query: ast.Query, names: SourceNames, library: FunctionLibrary, read: Callable[[AliasedSource], Source]
) -> Stage:
    """Return the plan of a query's joins. Raises StatementError for a join that ksqlDB does not have."""
    check_join_sources(names)
    used = _pseudo_columns_used(query)
    if query.partition_by and any(isinstance(item, ast.SelectAll) for item in query.select):
        used |= {(source.alias, column.name) for source in names.sources for column in source.pseudo_columns}
    resolver = Resolver(names)
    left, left_sources = _input(names.sources[0], library, read, used), names.sources[:1]
    check_criteria(query, names)
    for join, source in zip(query.joins, names.sources[1:], strict=True):
        right = _input(source, library, read, used)
        left = _join(join, (left, left_sources), (right, (source,)), resolver, library)
        left_sources = (*left_sources, source)
    return left


def _pseudo_columns_used(query: ast.Query) -> set[tuple[str | None, str]]:
    return {
        (part.qualifier, part.name)
        for part in walk(query)
        if isinstance(part, ast.ColumnReference) and (part.name in PSEUDO_COLUMNS or part.name in WINDOW_BOUNDS)
    }


def _input(
    source: AliasedSource,
    library: FunctionLibrary,
    read: Callable[[AliasedSource], Source],
    used: set[tuple[str | None, str]],
) -> Stage:
    """Return a source with its columns under prefixed names, the key copied into the value."""
    plan = read(source)
    names = [column.name for column in source.columns]
    names += [column.name for column in source.pseudo_columns if (source.alias, column.name) in used]
    columns = tuple(
        NamedExpression(
            join_column(source.alias, name),
            TypedExpression(ast.ColumnReference(name), type_of(ast.ColumnReference(name), plan.schema, library)),
        )
        for name in names
    )
    values = tuple(Column(column.name, column.value.type) for column in columns if column.value.type is not None)
    schema = Schema(_key_columns(column.type for column in plan.schema.key), values)
    is_table = source.source.kind == "TABLE"
    keys = tuple(
        KeyPart(
            (ast.ColumnReference(join_column(source.alias, column.name)),),
            (f"{source.alias}.{column.name}",),
            join_column(source.alias, column.name),
        )
        for column in source.source.schema.key
    )
    return Stage(Project(plan, columns, schema, is_table), keys, "join expression", is_table, source.source.window)


def _key_columns(types: Iterable[SqlType]) -> tuple[Column, ...]:
    return tuple(
        Column(SYNTHETIC_KEY if index == 0 else f"{SYNTHETIC_KEY}_{index}", kind) for index, kind in enumerate(types)
    )


_Input = tuple[Stage, tuple[AliasedSource, ...]]
_NO_TIME = ast.Duration(0, "MILLISECOND")


def _join(
    join: ast.Join,
    left_input: _Input,
    right_input: _Input,
    resolver: Resolver,
    library: FunctionLibrary,
) -> Stage:
    resolver.resolve(join.condition, "JOIN ON")
    left_on, right_on = criteria(join, left_input[1], right_input[1])
    left = _side(left_input, left_on, resolver, library)
    right = _side(right_input, right_on, resolver, library)
    check_join_kind(join, left, right)
    if left.key.type != right.key.type:
        raise StatementError(f"Invalid join. Key types differ: {left.key.type} vs {right.key.type}")
    by_foreign_key = left.stage.is_table and right.stage.is_table and not left.is_on_key
    late = late_errors(join, left, right, foreign_key=by_foreign_key)
    if by_foreign_key:
        joined = _foreign_key_join(join, left, right)
    else:
        refuse_maps([Column(_key_name(left), left.key.type)] if left.key.type is not None else [])
        joined = _keyed_join(join, replace(left, stage=_rekeyed(left)), replace(right, stage=_rekeyed(right)))
    return replace(joined, late=(*late, *left.stage.late, *right.stage.late))


def _side(given: _Input, on: ast.Expression, resolver: Resolver, library: FunctionLibrary) -> Side:
    stage, sources = given
    expression = resolver.resolve(on, "JOIN ON")
    return Side(stage, sources, on, TypedExpression(expression, type_of(expression, stage.plan.schema, library)))


def _rekeyed(side: Side) -> Stage:
    """Return the side's plan, keyed by what it is joined on."""
    stage = side.stage
    if side.is_on_key or side.key.type is None:
        return stage
    schema = Schema(_key_columns([side.key.type]), stage.plan.schema.value)
    return replace(stage, plan=Rekey(stage.plan, (NamedExpression(SYNTHETIC_KEY, side.key),), schema), keys=())


def _viable(side: Side) -> tuple[tuple[ast.Expression, str], ...]:
    """Return the columns of a side that hold the join key, with their labels."""
    if side.is_on_key:
        part = side.stage.keys[0]
        return tuple(zip(part.expressions, part.labels, strict=True))
    if isinstance(side.key.expression, ast.ColumnReference):
        return ((side.key.expression, format_expression(side.on)),)
    return ()


def _result(plan: Plan, join: ast.Join, left: Side, right: Side, *, is_table: bool) -> Stage:
    viable = () if join.kind == "FULL" else (*_viable_once(left), *_viable(right))
    equal = tuple(side.key.expression for side in (left, right) if join.kind != "FULL")
    if not viable:
        part = KeyPart((ast.ColumnReference(SYNTHETIC_KEY),), (SYNTHETIC_KEY,), SYNTHETIC_KEY, equal)
        return Stage(plan, (part,), "join expression", is_table, left.stage.window, synthetic_key=True)
    expressions, labels = zip(*viable, strict=True)
    name = expressions[0].name if isinstance(expressions[0], ast.ColumnReference) else SYNTHETIC_KEY
    return Stage(plan, (KeyPart(expressions, labels, name, equal),), "join expression", is_table, left.stage.window)


def _viable_once(side: Side) -> tuple[tuple[ast.Expression, str], ...]:
    synthetic = ast.ColumnReference(SYNTHETIC_KEY)
    return tuple(pair for pair in _viable(side) if pair[0] != synthetic)


def _joined_schema(left: Stage, right: Stage) -> Schema:
    return Schema(left.plan.schema.key, (*left.plan.schema.value, *right.plan.schema.value))


def _keyed_join(join: ast.Join, left: Side, right: Side) -> Stage:
    schema = _joined_schema(left.stage, right.stage)
    inputs = left.stage.plan, right.stage.plan
    kind: Literal["INNER", "LEFT"] = "INNER" if join.kind == "INNER" else "LEFT"
    if left.stage.is_table:
        return _result(TableTableJoin(*inputs, join.kind, schema), join, left, right, is_table=True)
    if right.stage.is_table:
        return _result(StreamTableJoin(*inputs, kind, schema), join, left, right, is_table=False)
    within = join.within or ast.Within(_NO_TIME, _NO_TIME)  # one without is refused later
    grace = within.grace.milliseconds if within.grace is not None else None
    plan = StreamStreamJoin(*inputs, join.kind, within.before.milliseconds, within.after.milliseconds, grace, schema)
    return _result(plan, join, left, right, is_table=False)


def _key_name(side: Side) -> str:
    return side.key.expression.name if isinstance(side.key.expression, ast.ColumnReference) else SYNTHETIC_KEY


def _foreign_key_join(join: ast.Join, left: Side, right: Side) -> Stage:
    if len(left.sources) > 1:
        raise StatementError(
            "Invalid join condition: foreign-key table-table joins are not supported as part of n-way joins. "
            f"Got {format_expression(left.on)} = {format_expression(right.on)}."
        )
    if right.sources[0].source.window is not None:
        raise StatementError("Foreign-key table-table joins are not supported on windowed tables.")
    schema = _joined_schema(left.stage, right.stage)
    kind: Literal["INNER", "LEFT"] = "INNER" if join.kind == "INNER" else "LEFT"
    plan = ForeignKeyJoin(left.stage.plan, right.stage.plan, kind, left.key, schema)
    return Stage(plan, left.stage.keys, FOREIGN_KEY_SOURCE, is_table=True)
