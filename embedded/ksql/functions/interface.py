"""What the planner asks of the function library, and what it gets. The library itself is in the modules beside.

Names are matched in upper case. Error messages are ksqlDB's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from embedded.ksql.types import SqlType


class EvaluationError(Exception):
    """A value that a function or a cast cannot handle.

    As in ksqlDB, a column whose expression raises *anything* while a row is computed is null as a whole (and a
    predicate is false): ``COALESCE(CAST('x' AS INT), 0)`` is null. The compiler catches ``Exception`` per column.
    """


class QueryFailedError(Exception):
    """What ends a query, e.g. a DECIMAL sum that overflows; unlike any other exception it is not to be swallowed."""


class LambdaShape(NamedTuple):
    """A lambda argument while overloads are resolved: how many parameters it has.

    ``infer`` types its body: given the parameters' types it returns the result's type.
    """

    parameters: int
    infer: Callable[[Sequence[SqlType]], SqlType | None]


Argument = SqlType | LambdaShape | None  # None: a bare NULL


class ResolvedScalar(NamedTuple):
    """A scalar function chosen for given argument types.

    ``call`` takes the argument values (lambdas arrive as Python callables) and returns a value of ``returns``.
    ``lambda_types`` gives, per lambda argument in order, the types of its parameters.
    ``coerce`` gives per argument the type it must be implicitly cast to first, or None.
    """

    returns: SqlType
    call: Callable[..., Any]
    lambda_types: tuple[tuple[SqlType, ...], ...] = ()
    coerce: tuple[SqlType | None, ...] = ()


class ResolvedAggregate(Protocol):
    """An aggregate function chosen for given argument types. States are plain data that msgpack can write.

    Constant arguments (``LATEST_BY_OFFSET(x, 5)``'s 5) are taken out by ``resolve_aggregate``.
    The ``inline_…`` attributes are Python source templates for the compiler, None where a call is needed:
    ``inline_initial`` and ``inline_result`` are expressions, ``inline_add`` is an expression for the new state;
    ``{s}`` stands for the state and ``{0}``, ``{1}`` for the arguments (plain names: they are used more than once).
    """

    returns: SqlType
    column_arguments: int
    inline_initial: str | None
    inline_add: str | None
    inline_result: str | None

    def initial(self) -> Any:
        """Return the state of no rows."""
        ...

    def add(self, state: Any, *values: Any) -> Any:
        """Return the state with one more row."""
        ...

    def undo(self, state: Any, *values: Any) -> Any:
        """Return the state with one row less (only where ``supports_undo``)."""
        ...

    def merge(self, left: Any, right: Any) -> Any:
        """Return the state of both (session windows)."""
        ...

    def result(self, state: Any) -> Any:
        """Return the aggregate's value."""
        ...

    @property
    def supports_undo(self) -> bool:
        """Whether it may be applied to a table."""
        ...


class FunctionLibrary(Protocol):
    """The registry."""

    def is_aggregate(self, name: str) -> bool:
        """Whether the name is an aggregate function."""
        ...

    def exists(self, name: str) -> bool:
        """Whether any function has the name."""
        ...

    def resolve_scalar(self, name: str, arguments: Sequence[Argument]) -> ResolvedScalar:
        """Choose the overload. Raises StatementError with ksqlDB's message."""
        ...

    def resolve_aggregate(
        self, name: str, arguments: Sequence[SqlType | None], constants: Sequence[Any]
    ) -> ResolvedAggregate:
        """Choose the overload; ``constants`` are the literal trailing arguments. Raises StatementError."""
        ...
