"""Which columns of its sources a query looks at: the others need not be decoded."""

from __future__ import annotations

from collections.abc import Iterable

from embedded.ksql.language.ast import ColumnReference
from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.plan import (
    Aggregate,
    Filter,
    FlatMap,
    ForeignKeyJoin,
    Plan,
    Project,
    Rekey,
    Sink,
    Source,
    StreamStreamJoin,
    StreamTableJoin,
    Suppress,
    TableTableJoin,
    TypedExpression,
)

Columns = frozenset[str]


def used_columns(plan: Sink) -> list[Columns | None]:
    """Return the names a source, in the order in which the plan has its sources; None where all may be used."""
    return list(_of_sources(plan.input, None))


def _of_sources(node: Plan, used: Columns | None) -> Iterable[Columns | None]:
    """Yield what each source below a node has to give if ``used`` of the node's own columns are looked at.

    Joins, new keys and table functions hand whole rows on.
    """
    match node:
        case Source():
            yield used
        case Filter():
            yield from _of_sources(node.input, None if used is None else used | _named([node.predicate]))
        case Project():
            yield from _of_sources(node.input, _named(column.value for column in node.columns))
        case Aggregate():
            named = [column.value for column in (*node.keys, *node.carried)]
            arguments = [argument for call in node.calls for argument in call.arguments]
            yield from _of_sources(node.input, _named([*named, *arguments]))
        case Suppress() | Rekey() | FlatMap():
            yield from _of_sources(node.input, None)
        case StreamTableJoin() | TableTableJoin() | ForeignKeyJoin() | StreamStreamJoin():
            yield from _of_sources(node.left, None)
            yield from _of_sources(node.right, None)


def _named(expressions: Iterable[TypedExpression]) -> Columns:
    parts = (part for expression in expressions for part in walk(expression.expression))
    return frozenset(part.name for part in parts if isinstance(part, ColumnReference))
