"""PARTITION BY: a stream under a new key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.aggregation import aggregates_in
from embedded.ksql.planning.errors import typed_selection
from embedded.ksql.planning.join_rules import IMPLICIT_REPARTITIONING
from embedded.ksql.planning.plan import NamedExpression, Project, Rekey
from embedded.ksql.planning.resolution import Resolver, Selected, expand
from embedded.ksql.planning.stage import KeyPart, Stage, is_keyed_by
from embedded.ksql.types import Column, Schema


def everything_partitioned(stage: Stage, by: Sequence[ast.Expression], resolver: Resolver) -> list[Selected]:
    """Return what ``*`` stands for after PARTITION BY: the new key, the other value columns, the old key.

    After a join it is each source's values, its pseudo columns and its key.
    """
    expressions = [one for one in by if not isinstance(one, ast.NullLiteral)]
    everything = expand(ast.SelectAll(), resolver, with_window=False)
    old_keys = [item for item in everything if any(item.expression in part.expressions for part in stage.keys)]
    values = [item for item in everything if item not in old_keys]
    if resolver.names.is_join:
        old_keys, values = [], _of_sources(resolver)
    if not expressions:
        return [*old_keys, *values]
    first = [Selected(_name(expression, index), expression) for index, expression in enumerate(expressions)]
    return [*first, *(item for item in (*values, *old_keys) if item.expression not in expressions)]


def _of_sources(resolver: Resolver) -> list[Selected]:
    found = []
    for source in resolver.names.sources:
        keys = source.source.schema.key
        columns = (*source.source.schema.value, *source.pseudo_columns, *keys)
        references = [resolver.column(source, column.name) for column in columns]
        found += [Selected(reference.name, reference) for reference in references]
    return found


def with_needed_keys(stage: Stage, select: Sequence[Selected], library: FunctionLibrary) -> Stage:
    """Return the stage with its key copied into the value, if the select list speaks of it."""
    schema = stage.plan.schema
    keys = {column.name for column in schema.key}
    mentioned = {
        part.name for item in select for part in walk(item.expression) if isinstance(part, ast.ColumnReference)
    }
    if not keys & mentioned:
        return stage
    known = {column.name for column in schema.value}
    values = (*schema.value, *(column for column in schema.key if column.name not in known))
    columns = tuple(
        NamedExpression(column.name, typed_selection(ast.ColumnReference(column.name), schema, library))
        for column in values
    )
    return replace(stage, plan=Project(stage.plan, columns, Schema(schema.key, values), stage.is_table))


def plan_partitioning(
    stage: Stage, by: Sequence[ast.Expression], labels: Sequence[str], library: FunctionLibrary
) -> Stage:
    """Return the stage under its new key; ``labels`` are the expressions as messages name them.

    Raises StatementError for an aggregate as key.
    """
    late = _check(stage, by, library)
    if stage.window is not None and is_keyed_by(stage, tuple(by)):
        return stage
    plan = stage.plan
    if any(isinstance(expression, ast.NullLiteral) for expression in by):
        if len(by) > 1:
            raise StatementError("Cannot PARTITION BY multiple columns including NULL")
        return Stage(Rekey(plan, (), Schema((), plan.schema.value)), (), "no key", is_table=False, late=late)
    keys = tuple(
        NamedExpression(f"KSQL_KEY_{index}", typed_selection(expression, plan.schema, library))
        for index, expression in enumerate(by)
    )
    columns = tuple(Column(key.name, key.value.type) for key in keys if key.value.type is not None)
    parts = tuple(
        KeyPart((expression,), (label,), _name(expression, index))
        for index, (expression, label) in enumerate(zip(by, labels, strict=True))
    )
    rekeyed = Rekey(plan, keys, Schema(columns, plan.schema.value))
    return Stage(rekeyed, parts, "partitioning expression", is_table=False, late=late)


def _check(stage: Stage, by: Sequence[ast.Expression], library: FunctionLibrary) -> tuple[KsqlError, ...]:
    """Return what is found late. Raises StatementError for an aggregate."""
    for expression in by:
        for call in aggregates_in(expression, library):
            raise StatementError(
                f"PARTITION BY does not support aggregate functions: {call.name} is an aggregate function."
            )
    if stage.is_table:
        key = ", ".join(column.name for column in stage.plan.schema.key)
        listed = ", ".join(format_expression(expression) for expression in by)
        repartitioned = StatementError(
            "Cannot repartition a TABLE source. If this is a join, make sure that the criteria uses the TABLE's "
            f"key column {key} instead of [{listed}]"
        )
        return (*stage.late, repartitioned)
    if stage.window is not None and not is_keyed_by(stage, tuple(by)):
        return (*stage.late, StatementError(IMPLICIT_REPARTITIONING))
    return stage.late


def _name(expression: ast.Expression, index: int) -> str:
    match expression:
        case ast.ColumnReference(name) | ast.Dereference(_, name):
            return name
        case _:
            return f"KSQL_COL_{index}"
