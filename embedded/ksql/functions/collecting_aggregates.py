"""The aggregates that collect values: lists, sets, histograms, the highest k."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add
from typing import Any

from embedded.ksql import types
from embedded.ksql.errors import StatementError
from embedded.ksql.functions.aggregate_registry import Factory, Folding, aggregate
from embedded.ksql.functions.java_order import order
from embedded.ksql.functions.numbers import wrap_int, wrap_long
from embedded.ksql.types import Base, SqlType

_HISTOGRAM_LIMIT = 1000  # ksqlDB's: entries beyond are not counted

_WRAPS: dict[Base, Callable[[Any], Any]] = {Base.INTEGER: wrap_int, Base.BIGINT: wrap_long}


def _same(value: Any) -> Any:
    return value


@aggregate("collect_list", "T val1 -> ARRAY<T>", "Gathers all values into an array.")
def collect_list(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
    """Keep every value, nulls too."""

    def undo(state: list[Any], value: Any) -> list[Any]:
        if value not in state:
            return state
        at = len(state) - 1 - state[::-1].index(value)
        return [*state[:at], *state[at + 1 :]]

    return Folding(
        types.array(kinds[0]),
        initial=list,
        add=lambda state, value: [*state, value],
        undo=undo,
        merge=lambda left, right: [*left, *right],
        result=_same,
    )


def _with(state: list[Any], value: Any) -> list[Any]:
    return state if value in state else [*state, value]


@aggregate("collect_set", "T val1 -> ARRAY<T>", "Gathers the distinct values into an array.")
def collect_set(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
    """Keep the first appearance of every value, null too."""
    return Folding(types.array(kinds[0]), initial=list, add=_with, merge=_union, result=_same)


def _union(left: list[Any], right: list[Any]) -> list[Any]:
    for value in right:
        left = _with(left, value)
    return left


@aggregate("count_distinct", "T val1 -> BIGINT", "Counts the distinct values that are not null.")
def count_distinct(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
    """Count exactly, where ksqlDB estimates: the state holds every distinct value."""
    nested = kinds[0].base in {Base.ARRAY, Base.MAP, Base.STRUCT}

    def add(state: dict[Any, int], value: Any) -> dict[Any, int]:
        key = repr(value) if nested else value
        return state if value is None or key in state else {**state, key: 1}

    return Folding(
        types.BIGINT, initial=dict[Any, int], add=add, merge=lambda left, right: {**left, **right}, result=len
    )


@aggregate("histogram", "VARCHAR val1 -> MAP<VARCHAR, BIGINT>", "Counts how often each value occurs.")
def histogram(_: list[SqlType], __: Sequence[Any]) -> Folding:
    """Count by value. Nulls count once: in ksqlDB's stored state their entry becomes that of the text null."""

    def moved(state: dict[str, int], value: str | None, by: int) -> dict[str, int]:
        key = "null" if value is None else value
        number = state.get(key, 0) + by
        if number <= 0:
            return {known: count for known, count in state.items() if known != key}
        return {**state, key: number} if key in state or len(state) < _HISTOGRAM_LIMIT else state

    def merge(left: dict[str, int], right: dict[str, int]) -> dict[str, int]:
        for key, number in right.items():
            left = moved(left, key, number)
        return left

    return Folding(
        types.mapping(types.STRING, types.BIGINT),
        initial=dict,
        add=lambda state, value: state if value is None and "null" in state else moved(state, value, 1),
        undo=lambda state, value: moved(state, value, -1),
        merge=merge,
        result=_same,
    )


def _highest(*, distinct: bool) -> Factory:
    def make(kinds: list[SqlType], constants: Sequence[Any]) -> Folding:
        number = constants[0]
        if number < 1:
            raise StatementError(f"TOPK requires k to be at least 1, got {number}")

        def top(values: list[Any]) -> list[Any]:
            return sorted(set(values) if distinct else values, key=order, reverse=True)[:number]

        return Folding(
            types.array(kinds[0]),
            initial=list,
            add=lambda state, value: state if value is None else top([*state, value]),
            merge=lambda left, right: top([*left, *right]),
            result=_same,
        )

    return make


def _highest_rows(kinds: list[SqlType], constants: Sequence[Any]) -> Folding:
    """Keep the rows with the highest first values, as structs SORT_COL, COL0, COL1 and so on, in lower case."""
    number, others = constants[0], kinds[1:-1]
    names = ["sort_col", *(f"col{index}" for index in range(len(others)))]

    def top(rows: list[Any]) -> list[Any]:
        return sorted(rows, key=lambda row: order(row["sort_col"]), reverse=True)[:number]

    def add(state: list[Any], *values: Any) -> list[Any]:
        return state if values[0] is None else top([*state, dict(zip(names, values, strict=True))])

    return Folding(
        types.array(types.struct(*zip(names, [kinds[0], *others], strict=True))),
        initial=list,
        add=add,
        merge=lambda left, right: top([*left, *right]),
        result=_same,
        column_arguments=1 + len(others),
    )


_MOST_OTHER_COLUMNS = 6

for _type in ("DOUBLE", "INT", "BIGINT", "DECIMAL", "DATE", "TIME", "TIMESTAMP", "VARCHAR", "BYTES"):
    aggregate("TOPK", f"{_type} val1, INT k -> ARRAY<{_type}>", "Returns the k highest values.")(
        _highest(distinct=False)
    )
    for _count in range(1, _MOST_OTHER_COLUMNS + 1):
        _others = ", ".join(f"{letter} col{index}" for index, letter in enumerate("ABCDEF"[:_count]))
        aggregate(
            "TOPK", f"{_type} val1, {_others}, INT k -> ARRAY<STRUCT>", "Returns the rows with the k highest values."
        )(_highest_rows)
    aggregate("TOPKDISTINCT", f"{_type} val1, INT k -> ARRAY<{_type}>", "Returns the k highest distinct values.")(
        _highest(distinct=True)
    )


@aggregate("attr", "T val1 -> T", "Returns the value if it is the same in all rows, else null.")
def attr(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
    """Keep each distinct value with its number of rows."""

    def moved(state: list[Any], value: Any, by: int) -> list[Any]:
        counts = [[known, number + by if known == value else number] for known, number in state]
        if all(known != value for known, _ in state):
            counts.append([value, by])
        return [entry for entry in counts if entry[1] > 0]

    def merge(left: list[Any], right: list[Any]) -> list[Any]:
        for value, number in right:
            left = moved(left, value, number)
        return left

    return Folding(
        kinds[0],
        initial=list,
        add=lambda state, value: moved(state, value, 1),
        undo=lambda state, value: moved(state, value, -1),
        merge=merge,
        result=lambda state: state[0][0] if len(state) == 1 else None,
    )


@aggregate("sum_list", "ARRAY<INT> val1 -> INT", "Sums the elements of a list.")
@aggregate("sum_list", "ARRAY<BIGINT> val1 -> BIGINT", "Sums the elements of a list.")
@aggregate("sum_list", "ARRAY<DOUBLE> val1 -> DOUBLE", "Sums the elements of a list.")
def sum_list(kinds: list[SqlType], _: Sequence[Any]) -> Folding:
    """Add up all elements that are not null."""
    element = kinds[0].element or types.DOUBLE
    wrap = _WRAPS.get(element.base, _same)
    zero = 0.0 if element.base is Base.DOUBLE else 0

    def total(values: list[Any] | None) -> Any:
        return reduce(add, [value for value in values or () if value is not None], zero)

    return Folding(
        element,
        initial=lambda: zero,
        add=lambda state, values: wrap(state + total(values)),
        undo=lambda state, values: wrap(state - total(values)),
        merge=lambda left, right: wrap(left + right),
        result=_same,
    )
