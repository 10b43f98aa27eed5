"""The aggregates that come down to one number or one value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from embedded.ksql import types
from embedded.ksql.functions.aggregate_registry import Folding, aggregate
from embedded.ksql.functions.interface import QueryFailedError
from embedded.ksql.functions.numbers import EXACT, bound, wrap_int, wrap_long
from embedded.ksql.types import Base, SqlType

_WRAPPED = {
    Base.INTEGER: "({} + 2147483648 & 4294967295) - 2147483648",
    Base.BIGINT: "({} + 9223372036854775808 & 18446744073709551615) - 9223372036854775808",
}


def _wrapped(kind: SqlType, text: str) -> str:
    return _WRAPPED.get(kind.base, "{}").format(text)


def _wrapper(kind: SqlType) -> Callable[[Any], Any]:
    return {Base.INTEGER: wrap_int, Base.BIGINT: wrap_long}.get(kind.base, _same)


def _same(value: Any) -> Any:
    return value


def _nothing() -> None:
    return None


@aggregate("COUNT", " -> BIGINT", "Counts records by key.")
def count_rows(_: list[SqlType], __: Sequence[Any]) -> Folding:
    """COUNT(*)."""
    return Folding(
        types.BIGINT,
        initial=lambda: 0,
        add=lambda state: state + 1,
        undo=lambda state: state - 1,
        merge=lambda left, right: left + right,
        result=_same,
        column_arguments=0,
        inline_initial="0",
        inline_add="{s} + 1",
        inline_result="{s}",
    )


@aggregate("COUNT", "T val1 -> BIGINT", "Counts records by key.")
def count(_: list[SqlType], __: Sequence[Any]) -> Folding:
    """COUNT(x): rows where x is not null."""
    return Folding(
        types.BIGINT,
        initial=lambda: 0,
        add=lambda state, value: state if value is None else state + 1,
        undo=lambda state, value: state if value is None else state - 1,
        merge=lambda left, right: left + right,
        result=_same,
        inline_initial="0",
        inline_add="{s} if {0} is None else {s} + 1",
        inline_result="{s}",
    )


@aggregate("SUM", "DECIMAL val1 -> DECIMAL", "Computes the sum, keeping precision and scale.")
def sum_decimal(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
    """SUM of DECIMAL: beyond its precision the query fails."""
    kind = kinds[0]
    limit = bound(kind.precision, kind.scale)
    plus, minus = EXACT.add, EXACT.subtract

    def checked(total: Decimal) -> Decimal:
        if -limit < total < limit:
            return total
        raise QueryFailedError(f"SUM overflows {kind}: {total}. CAST the argument to a wider DECIMAL first")

    return Folding(
        kind,
        initial=lambda: Decimal(0),
        add=lambda state, value: state if value is None else checked(plus(state, value)),
        undo=lambda state, value: state if value is None else checked(minus(state, value)),
        merge=lambda left, right: checked(plus(left, right)),
        result=_same,
        inline_result="{s}",
    )


@aggregate("SUM", "BIGINT val1 -> BIGINT", "Computes the sum for a key.")
@aggregate("SUM", "INT val1 -> INT", "Computes the sum for a key.")
@aggregate("SUM", "DOUBLE val1 -> DOUBLE", "Computes the sum for a key.")
def sum_number(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
    """SUM of whole numbers wraps; nulls add nothing."""
    kind = kinds[0]
    wrap = _wrapper(kind)
    zero = 0.0 if kind.base is Base.DOUBLE else 0
    return Folding(
        kind,
        initial=lambda: zero,
        add=lambda state, value: state if value is None else wrap(state + value),
        undo=lambda state, value: state if value is None else wrap(state - value),
        merge=lambda left, right: wrap(left + right),
        result=_same,
        inline_initial=repr(zero),
        inline_add="{s} if {0} is None else " + _wrapped(kind, "{{s}} + {{0}}").replace("{{", "{").replace("}}", "}"),
        inline_result="{s}",
    )


@aggregate("avg", "BIGINT val1 -> DOUBLE", "Computes the average value for a key.")
@aggregate("avg", "INT val1 -> DOUBLE", "Computes the average value for a key.")
@aggregate("avg", "DOUBLE val1 -> DOUBLE", "Computes the average value for a key.")
def average(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
    """AVG: the sum is kept in the argument's type (and wraps); of nothing it is 0.0."""
    wrap = _wrapper(kinds[0])
    total = _wrapped(kinds[0], "{{s}}[0] + {{0}}").replace("{{", "{").replace("}}", "}")
    return Folding(
        types.DOUBLE,
        initial=lambda: (0, 0),
        add=lambda state, value: state if value is None else (wrap(state[0] + value), state[1] + 1),
        undo=lambda state, value: state if value is None else (wrap(state[0] - value), state[1] - 1),
        merge=lambda left, right: (wrap(left[0] + right[0]), left[1] + right[1]),
        result=lambda state: state[0] / state[1] if state[1] else 0.0,
        inline_initial="(0, 0)",
        inline_add="{s} if {0} is None else (" + total + ", {s}[1] + 1)",
        inline_result="{s}[0] / {s}[1] if {s}[1] else 0.0",
    )


def _extreme(better: str, choose: Callable[[Any, Any], Any]) -> Callable[[list[SqlType], Sequence[Any]], Folding]:
    def pick(state: Any, value: Any) -> Any:
        if state is None or value is None:
            return value if state is None else state
        return choose(state, value)

    def make(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
        return Folding(
            kinds[0],
            initial=_nothing,
            add=pick,
            merge=pick,
            result=_same,
            inline_initial="None",
            inline_add=f"{{0}} if {{s}} is None or ({{0}} is not None and {{0}} {better} {{s}}) else {{s}}",
            inline_result="{s}",
        )

    return make


for _type in ("DECIMAL", "DOUBLE", "INT", "BIGINT", "DATE", "TIME", "TIMESTAMP", "VARCHAR", "BYTES"):
    aggregate("MAX", f"{_type} val1 -> {_type}", "Computes the maximum value for a key.")(_extreme(">", max))
    aggregate("MIN", f"{_type} val1 -> {_type}", "Computes the minimum value for a key.")(_extreme("<", min))


def _variance(_: list[SqlType], __: Sequence[Any]) -> Folding:
    """Keep count, sum and the sum of squared distances (Youngs and Cramer's update)."""

    def distance(number: int, total: float, value: float) -> float:
        return float((number * value - total) ** 2 / (number * (number - 1))) if number > 1 else 0.0

    def add(state: Any, value: Any) -> Any:
        if value is None:
            return state
        number, total = state[0] + 1, state[1] + value
        return number, total, state[2] + distance(number, total, value)

    def undo(state: Any, value: Any) -> Any:
        if value is None:
            return state
        number, total, squares = state
        return (number - 1, total - value, squares - distance(number, total, value)) if number > 1 else (0, 0, 0.0)

    def merge(left: Any, right: Any) -> Any:
        (n, s, q), (m, t, r) = left, right
        if not n or not m:
            return left if n else right
        return n + m, s + t, q + r + (s / n - t / m) ** 2 * n * m / (n + m)

    return Folding(
        types.DOUBLE,
        initial=lambda: (0, 0, 0.0),
        add=add,
        undo=undo,
        merge=merge,
        result=lambda state: state[2] / (state[0] - 1) if state[0] > 1 else 0.0,
    )


def _deviation(kinds: list[SqlType], constants: Sequence[Any]) -> Folding:
    folding = _variance(kinds, constants)
    variance = folding.result
    folding.result = lambda state: math.sqrt(max(variance(state), 0.0))
    return folding


def _correlation(_: list[SqlType], __: Sequence[Any]) -> Folding:
    """Keep the count and the sums of x, y, xx, yy and xy."""

    def moved(state: Any, x: Any, y: Any, sign: int) -> Any:
        if x is None or y is None:
            return state
        terms = (1, x, y, x * x, y * y, x * y)
        return tuple(old + sign * term for old, term in zip(state, terms, strict=True))

    def result(state: Any) -> float:
        n, x, y, xx, yy, xy = state
        spread = (n * xx - x * x) * (n * yy - y * y)
        return (n * xy - x * y) / math.sqrt(spread) if spread > 0 else math.nan

    return Folding(
        types.DOUBLE,
        initial=lambda: (0, 0, 0, 0, 0, 0),
        add=lambda state, x, y: moved(state, x, y, 1),
        undo=lambda state, x, y: moved(state, x, y, -1),
        merge=lambda left, right: tuple(a + b for a, b in zip(left, right, strict=True)),
        result=result,
        column_arguments=2,
    )


for _type in ("DOUBLE", "INT", "BIGINT"):
    aggregate("stddev_samp", f"{_type} val1 -> DOUBLE", "Computes the sample variance for a key.")(_variance)
    aggregate("stddev_sample", f"{_type} val1 -> DOUBLE", "Computes the sample standard deviation.")(_deviation)
    aggregate("correlation", f"{_type} val1, {_type} val2 -> DOUBLE", "Computes the Pearson correlation.")(_correlation)
