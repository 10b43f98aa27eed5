"""Where a scalar function is declared, and how an overload is chosen for given arguments.

A new function is one small Python function under ``@scalar(name, signature, description)`` in a module that
``library`` imports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from embedded.ksql.errors import StatementError
from embedded.ksql.functions.interface import Argument, LambdaShape, ResolvedScalar
from embedded.ksql.functions.signatures import Bindings, Signature, bind, match, parse_signature, substitute
from embedded.ksql.types import SqlType

AnyFunction: TypeAlias = Callable[..., Any]
Decorated = TypeVar("Decorated", bound=AnyFunction)


@dataclass(frozen=True, slots=True)
class Overload:
    """One signature of a function and what it calls.

    ``per_types`` means that ``call`` is given the argument types and returns the function. ``returns`` overrides the
    signature's return type. ``is_table`` marks a table function, whose ``call`` returns the rows as a list.
    """

    signature: Signature
    call: AnyFunction
    description: str
    strict: bool
    per_types: bool
    returns: Callable[..., SqlType] | None


@dataclass(slots=True)
class ScalarFunction:
    """All overloads of one name; ``spelling`` is the name as ksqlDB's messages write it."""

    name: str
    spelling: str
    category: str
    is_table: bool
    overloads: list[Overload]


SCALARS: dict[str, ScalarFunction] = {}


def scalar(
    name: str,
    signature: str,
    description: str,
    *,
    category: str,
    strict: bool = True,
    **options: Any,
) -> Callable[[Decorated], Decorated]:
    """Declare a function under a name as ksqlDB's messages spell it.

    ``strict``: the result is null if any argument is. Options: ``per_types``, ``returns`` and ``is_table``, see
    ``Overload`` and ``ScalarFunction``.
    """

    def declare(function: Decorated) -> Decorated:
        upper = name.upper()
        known = SCALARS.setdefault(upper, ScalarFunction(upper, name, category, options.get("is_table", False), []))
        known.overloads.append(
            Overload(
                parse_signature(signature),
                function,
                description,
                strict,
                options.get("per_types", False),
                options.get("returns"),
            )
        )
        return function

    return declare


def resolve(function: ScalarFunction, arguments: Sequence[Argument]) -> ResolvedScalar:
    """Choose the overload: one that fits as it is, else the only one that fits after implicit casts.

    Raises StatementError with ksqlDB's messages.
    """
    for widen in (False, True):
        fitting = [
            (overload, found)
            for overload in function.overloads
            if (found := match(overload.signature, arguments, widen=widen)) is not None
        ]
        if fitting:
            best = min(_rank(overload) for overload, _ in fitting)
            chosen = [candidate for candidate in fitting if _rank(candidate[0]) == best]
            if len(chosen) > 1:
                raise StatementError(_ambiguous(function, arguments))
            overload, (bindings, casts) = chosen[0]
            return _resolved(function, overload, arguments, bindings, casts)
    raise StatementError(_no_match(function.spelling, function.name, _texts(arguments), signatures_of(function)))


def _rank(overload: Overload) -> tuple[bool, int]:
    return overload.signature.is_variadic, overload.signature.generics()


def _resolved(
    function: ScalarFunction,
    overload: Overload,
    arguments: Sequence[Argument],
    bindings: Bindings,
    casts: list[SqlType | None],
) -> ResolvedScalar:
    types = [
        cast or (None if isinstance(argument, LambdaShape) else argument)
        for argument, cast in zip(arguments, casts, strict=True)
    ]
    try:
        lambda_types = _infer_lambdas(overload.signature, arguments, bindings)
        returns = overload.returns(*types) if overload.returns else substitute(overload.signature.returns, bindings)
    except LookupError as error:
        raise StatementError(
            _no_match(function.spelling, function.name, _texts(arguments), signatures_of(function))
        ) from error
    call = overload.call(*types) if overload.per_types else overload.call
    if overload.strict:
        call = null_in_null_out(call, len(arguments))
    return ResolvedScalar(returns, call, lambda_types, tuple(casts))


def _infer_lambdas(
    signature: Signature, arguments: Sequence[Argument], bindings: Bindings
) -> tuple[tuple[SqlType, ...], ...]:
    """Type the lambdas from left to right: each body's type may bind a type variable of the next."""
    shapes: list[tuple[SqlType, ...]] = []
    for pattern, argument in zip(signature.patterns_for(len(arguments)) or (), arguments, strict=True):
        if isinstance(argument, LambdaShape):
            parameters = tuple(substitute(part, bindings) for part in pattern.inner[:-1])
            shapes.append(parameters)
            result = argument.infer(parameters)
            if result is not None and not bind(pattern.inner[-1], result, bindings):
                raise LookupError("the lambda returns another type")
    return tuple(shapes)


def null_in_null_out(call: AnyFunction, count: int) -> AnyFunction:
    """Return the function that is null as soon as an argument is."""
    if count == 0:
        return call
    if count == 1:
        return lambda a: None if a is None else call(a)
    if count == 2:  # noqa: PLR2004 - the arities worth unrolling
        return lambda a, b: None if a is None or b is None else call(a, b)
    if count == 3:  # noqa: PLR2004 - the arities worth unrolling
        return lambda a, b, c: None if a is None or b is None or c is None else call(a, b, c)
    return lambda *values: None if None in values else call(*values)


def signatures_of(function: ScalarFunction) -> list[Signature]:
    """Return the signatures in the order of declaration."""
    return [overload.signature for overload in function.overloads]


def _texts(arguments: Sequence[Argument]) -> str:
    texts = []
    for argument in arguments:
        if isinstance(argument, LambdaShape):
            texts.append("LAMBDA")
        else:
            texts.append("null" if argument is None else str(argument).replace("`", ""))
    return f"({', '.join(texts)})"


def _ambiguous(function: ScalarFunction, arguments: Sequence[Argument]) -> str:
    lines = [
        f"Function '{function.spelling}' cannot be resolved due to ambiguous method parameters {_texts(arguments)}.",
        "Use CAST() to explicitly cast your parameters to one of the supported function calls.",
        "Valid function calls are:",
        *(f"{function.name}{signature}" for signature in signatures_of(function)),
        "For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;",
    ]
    return "\n".join(lines)


def _no_match(spelling: str, name: str, arguments: str, signatures: Sequence[Signature]) -> str:
    lines = [
        f"Function '{spelling}' does not accept parameters {arguments}.",
        "Valid alternatives are:",
        *(f"{name}{signature}" for signature in signatures),
        "For detailed information on a function run: DESCRIBE FUNCTION <Function-Name>;",
    ]
    return "\n".join(lines)


def no_match_message(name: str, arguments: Sequence[Argument], signatures: Sequence[Signature]) -> str:
    """Return ksqlDB's message for an aggregate, whose one spelling is used throughout."""
    return _no_match(name, name, _texts(arguments), signatures)
