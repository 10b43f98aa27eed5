"""The aggregates that come down to one number or one value."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from embedded.ksql import types
from embedded.ksql.functions.aggregate_registry import Folding, aggregate
from embedded.ksql.functions.interface import QueryFailedError
from embedded.ksql.functions.java_order import is_higher
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
        result=lambda state: float(state[0]) / state[1] if state[1] else 0.0,
        inline_initial="(0, 0)",
        inline_add="{s} if {0} is None else (" + total + ", {s}[1] + 1)",
        inline_result=("float({s}[0])" if kinds[0].base is Base.BIGINT else "{s}[0]") + " / {s}[1] if {s}[1] else 0.0",
    )


_UTF16 = ".encode('utf-16-be', 'surrogatepass')"
_TEXT_TEST = (
    "({{0}} {better} {{s}} if {{0}}.isascii() or {{s}}.isascii()"
    f" else {{{{0}}}}{_UTF16} {{better}} {{{{s}}}}{_UTF16})"
)


def _extreme(better: str) -> Callable[[list[SqlType], Sequence[Any]], Folding]:
    def pick(state: Any, value: Any) -> Any:
        if state is None or value is None:
            return value if state is None else state
        return max(state, value) if better == ">" else min(state, value)

    def pick_by_order(state: Any, value: Any) -> Any:
        if state is None or value is None or state == value:
            return value if state is None else state
        return value if is_higher(value, state) is (better == ">") else state

    def make(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
        choose = pick_by_order if kinds[0].base in {Base.STRING, Base.BYTES} else pick
        test = (_TEXT_TEST if kinds[0].base is Base.STRING else "{{0}} {better} {{s}}").format(better=better)
        template = f"{{0}} if {{s}} is None or ({{0}} is not None and {test}) else {{s}}"
        return Folding(
            kinds[0],
            initial=_nothing,
            add=choose,
            merge=choose,
            result=_same,
            inline_initial="None",
            inline_add=None if kinds[0].base is Base.BYTES else template,
            inline_result="{s}",
        )

    return make


for _type in ("DECIMAL", "DOUBLE", "INT", "BIGINT", "DATE", "TIME", "TIMESTAMP", "VARCHAR", "BYTES"):
    aggregate("MAX", f"{_type} val1 -> {_type}", "Computes the maximum value for a key.")(_extreme(">"))
    aggregate("MIN", f"{_type} val1 -> {_type}", "Computes the minimum value for a key.")(_extreme("<"))


def _squares(kind: SqlType, mean: Callable[[Any, int], float]) -> Folding:
    """Keep count, sum and the sum of squared distances (Youngs and Cramer's update)."""
    wrap = _wrapper(kind)

    def distance(number: int, total: float, value: float) -> float:
        if number < 2:  # noqa: PLR2004 - one value varies from nothing
            return 0.0
        delta = float(number * value - total)
        return delta * delta / (number * (number - 1))

    def add(state: Any, value: Any) -> Any:
        if value is None:
            return state
        number, total = state[0] + 1, wrap(state[1] + value)
        return number, total, state[2] + distance(number, total, value)

    def undo(state: Any, value: Any) -> Any:
        if value is None:
            return state
        number, total, squares = state
        return number - 1, wrap(total - value), squares - distance(number, total, value)

    def merge(left: Any, right: Any) -> Any:
        (n, s, q), (m, t, r) = left, right
        if not n or not m:
            return n + m, wrap(s + t), q + r
        between = mean(s, n) - mean(t, m)
        return n + m, wrap(s + t), q + r + n * m * between * between / (n + m)

    return Folding(
        types.DOUBLE,
        initial=lambda: (0, 0, 0.0),
        add=add,
        undo=undo,
        merge=merge,
        result=lambda state: state[2] / (state[0] - 1) if state[0] > 1 else 0.0,
    )


def _truncated_mean(total: int, number: int) -> float:
    """Return the mean as ksqlDB's STDDEV_SAMP has it when sessions of whole numbers merge."""
    return float(abs(total) // number if total > 0 else -(-total // number))


def _variance(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
    return _squares(kinds[0], _mean if kinds[0].base is Base.DOUBLE else _truncated_mean)


def _deviation(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
    folding = _squares(kinds[0], _mean)
    variance = folding.result
    folding.result = lambda state: _root(variance(state))
    return folding


def _mean(total: float, number: int) -> float:
    return total / number


def _root(value: float) -> float:
    return math.sqrt(value) if value >= 0 else math.nan


def _correlation(_: list[SqlType], __: Sequence[Any]) -> Folding:
    """Keep the count and the sums of x, y, xx, yy and xy."""

    def moved(state: Any, x: Any, y: Any, sign: int) -> Any:
        if x is None or y is None:
            return state
        x, y = float(x), float(y)
        terms = (1, x, y, x * x, y * y, x * y)
        return tuple(old + sign * term for old, term in zip(state, terms, strict=True))

    def result(state: tuple[int, float, float, float, float, float]) -> float:
        n, x, y, xx, yy, xy = state
        over, under = n * xy - x * y, _root((n * xx - x * x) * (n * yy - y * y))
        return over / under if under else over * math.inf

    return Folding(
        types.DOUBLE,
        initial=lambda: (0, 0.0, 0.0, 0.0, 0.0, 0.0),
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
