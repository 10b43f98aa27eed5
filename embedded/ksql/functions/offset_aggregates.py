"""EARLIEST_BY_OFFSET and LATEST_BY_OFFSET: the first or last values in order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedded.ksql import types
from embedded.ksql.errors import StatementError
from embedded.ksql.functions.aggregate_registry import Folding, aggregate
from embedded.ksql.types import SqlType

_EARLIEST = "Returns the oldest value of a column, by offset."
_LATEST = "Returns the latest value of a column, by offset."


def _same(value: Any) -> Any:
    return value


def _nothing() -> None:
    return None


def _boxed(state: Any) -> Any:
    return None if state is None else state[0]


@aggregate("EARLIEST_BY_OFFSET", "T val1 -> T", _EARLIEST)
@aggregate("EARLIEST_BY_OFFSET", "T val1, BOOLEAN ignoreNulls -> T", _EARLIEST)
def earliest(kinds: list[SqlType], constants: Sequence[Any]) -> Folding:
    """Keep the first value, by default the first that is not null."""
    if not constants or constants[0]:
        return Folding(
            kinds[0],
            initial=_nothing,
            add=lambda state, value: value if state is None else state,
            merge=lambda left, right: right if left is None else left,
            result=_same,
            inline_initial="None",
            inline_add="{0} if {s} is None else {s}",
            inline_result="{s}",
        )
    return Folding(
        kinds[0],
        initial=_nothing,
        add=lambda state, value: (value,) if state is None else state,
        merge=lambda left, right: right if left is None else left,
        result=_boxed,
        inline_initial="None",
        inline_add="({0},) if {s} is None else {s}",
        inline_result="None if {s} is None else {s}[0]",
    )


@aggregate("LATEST_BY_OFFSET", "T val1 -> T", _LATEST)
@aggregate("LATEST_BY_OFFSET", "T val1, BOOLEAN ignoreNulls -> T", _LATEST)
def latest(kinds: list[SqlType], constants: Sequence[Any]) -> Folding:
    """Keep the last value, by default the last that is not null."""
    if not constants or constants[0]:
        return Folding(
            kinds[0],
            initial=_nothing,
            add=lambda state, value: state if value is None else value,
            merge=lambda left, right: left if right is None else right,
            result=_same,
            inline_initial="None",
            inline_add="{s} if {0} is None else {0}",
            inline_result="{s}",
        )
    return Folding(
        kinds[0],
        initial=_nothing,
        add=lambda _, value: (value,),
        merge=lambda left, right: left if right is None else right,
        result=_boxed,
        inline_initial="None",
        inline_add="({0},)",
        inline_result="None if {s} is None else {s}[0]",
    )


def _limit(constants: Sequence[Any]) -> tuple[int, bool]:
    number = constants[0]
    if number is None or number < 1:
        raise StatementError("Failed to invoke UDAF factory method")
    return number, len(constants) < 2 or bool(constants[1])  # noqa: PLR2004 - n and ignoreNulls


@aggregate("EARLIEST_BY_OFFSET", "T val1, INT n -> ARRAY<T>", _EARLIEST)
@aggregate("EARLIEST_BY_OFFSET", "T val1, INT n, BOOLEAN ignoreNulls -> ARRAY<T>", _EARLIEST)
def earliest_values(kinds: list[SqlType], constants: Sequence[Any]) -> Folding:
    """Keep the first n values."""
    number, skip_nulls = _limit(constants)

    def add(state: list[Any], value: Any) -> list[Any]:
        full = len(state) >= number or (value is None and skip_nulls)
        return state if full else [*state, value]

    return Folding(
        types.array(kinds[0]),
        initial=list,
        add=add,
        merge=lambda left, right: [*left, *right][:number],
        result=_same,
    )


@aggregate("LATEST_BY_OFFSET", "T val1, INT n -> ARRAY<T>", _LATEST)
@aggregate("LATEST_BY_OFFSET", "T val1, INT n, BOOLEAN ignoreNulls -> ARRAY<T>", _LATEST)
def latest_values(kinds: list[SqlType], constants: Sequence[Any]) -> Folding:
    """Keep the last n values."""
    number, skip_nulls = _limit(constants)
    return Folding(
        types.array(kinds[0]),
        initial=list,
        add=lambda state, value: state if value is None and skip_nulls else [*state, value][-number:],
        merge=lambda left, right: [*left, *right][:number],  # the first ones, as in ksqlDB
        result=_same,
    )
