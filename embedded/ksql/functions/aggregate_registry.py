"""Where aggregate functions are declared and chosen.

A new aggregate is one function under ``@aggregate(name, signature, description)`` that is given the types of the
arguments and the constants, and returns a ``Folding``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from embedded.ksql.errors import StatementError
from embedded.ksql.functions.interface import ResolvedAggregate
from embedded.ksql.functions.registry import no_match_message
from embedded.ksql.functions.signatures import Signature, match, parse_signature
from embedded.ksql.types import SqlType


@dataclass(slots=True)
class Folding:
    """One aggregate for given types; see ``ResolvedAggregate``. States are never changed in place."""

    returns: SqlType
    initial: Callable[[], Any]
    add: Callable[..., Any]
    merge: Callable[[Any, Any], Any]
    result: Callable[[Any], Any]
    undo: Callable[..., Any] | None = None
    column_arguments: int = 1
    inline_initial: str | None = None
    inline_add: str | None = None
    inline_result: str | None = None

    @property
    def supports_undo(self) -> bool:
        """Whether it may be applied to a table."""
        return self.undo is not None


Factory: TypeAlias = Callable[[list[SqlType], Sequence[Any]], Folding]


@dataclass(frozen=True, slots=True)
class AggregateOverload:
    """A signature and what makes the aggregate for it."""

    signature: Signature
    factory: Factory
    description: str


@dataclass(slots=True)
class AggregateFunction:
    """All overloads of one name."""

    name: str
    spelling: str
    overloads: list[AggregateOverload]


AGGREGATES: dict[str, AggregateFunction] = {}


def aggregate(name: str, signature: str, description: str) -> Callable[[Factory], Factory]:
    """Declare an aggregate under a name as ksqlDB's messages spell it."""

    def declare(factory: Factory) -> Factory:
        known = AGGREGATES.setdefault(name.upper(), AggregateFunction(name.upper(), name, []))
        known.overloads.append(AggregateOverload(parse_signature(signature), factory, description))
        return factory

    return declare


class NotConstantError(StatementError):
    """An argument, the one at ``position`` from 1, that must be a literal and is none."""

    def __init__(self, function: str, position: int) -> None:
        super().__init__(
            f"Parameter {position} passed to function {function} must be a literal constant, but was expression"
        )
        self.position = position


def resolve_aggregate(
    function: AggregateFunction, arguments: Sequence[SqlType | None], constants: Sequence[Any]
) -> ResolvedAggregate:
    """Choose the overload that takes the arguments as they are. Raises StatementError with ksqlDB's message."""
    for overload in function.overloads:
        if match(overload.signature, arguments, widen=False) is not None:
            needed = len(overload.signature.parameters) - _columns(overload.signature)
            if len(constants) < needed:
                raise NotConstantError(function.spelling, len(arguments) - len(constants))
            known = [kind for kind in arguments if kind is not None]
            folding = overload.factory(known, list(constants)[len(constants) - needed :])
            # mypy cannot see that a method of the protocol may be a field here.
            resolved: ResolvedAggregate = folding  # type: ignore[assignment]
            return resolved
    signatures = [overload.signature for overload in function.overloads]
    raise StatementError(no_match_message(function.spelling, arguments, signatures))


def _columns(signature: Signature) -> int:
    """Return how many parameters are columns: those that are not named as constants of the aggregate."""
    return sum(parameter.name not in {"k", "n", "ignoreNulls"} for parameter in signature.parameters)
