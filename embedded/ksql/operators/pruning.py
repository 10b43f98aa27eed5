"""When HAVING can never become true again for a group, because it bounds a COUNT from above.

COUNT only grows over a stream. So once ``COUNT(*) = 1``, ``<= 1``, ``< 2`` or ``BETWEEN 1 AND 1`` fails because the
count is too high, no later row changes that, and nothing of the group needs to be kept but the fact itself.
"""

from __future__ import annotations

from embedded.ksql.language.ast import (
    Between,
    ColumnReference,
    Comparison,
    Expression,
    IntegerLiteral,
    Logical,
    LongLiteral,
)
from embedded.ksql.planning.plan import Aggregate

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def count_bound(predicate: Expression, node: Aggregate) -> tuple[int, int] | None:
    """Return a COUNT call's index and the highest count with which the predicate can still be true."""
    counts = {call.name: index for index, call in enumerate(node.calls) if call.function.upper() == "COUNT"}
    match predicate:
        case Logical(operator="AND", left=left, right=right):
            return count_bound(left, node) or count_bound(right, node)
        case Between(operand=ColumnReference(name=name), high=IntegerLiteral() | LongLiteral() as high):
            return (counts[name], high.value) if name in counts else None
        case Comparison(operator=operator, left=ColumnReference(name=name), right=right):
            return _bound(counts.get(name), operator, right)
        case Comparison(operator=operator, left=left, right=ColumnReference(name=name)):
            return _bound(counts.get(name), _MIRRORED.get(operator, ""), left)
    return None


def _bound(count: int | None, operator: str, limit: Expression) -> tuple[int, int] | None:
    if count is None or not isinstance(limit, IntegerLiteral | LongLiteral):
        return None
    if operator in ("=", "<="):
        return count, limit.value
    return (count, limit.value - 1) if operator == "<" else None
