"""Choosing among values, most of them for nulls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from embedded.ksql import types
from embedded.ksql.functions.java_order import order
from embedded.ksql.functions.registry import scalar
from embedded.ksql.types import SqlType


@scalar(
    "COALESCE",
    "T first, T... others -> T",
    "Returns the first argument that is not null.",
    category="CONDITIONAL",
    strict=False,
)
def coalesce(*values: Any) -> Any:
    """Return the first value that is not null."""
    return next((value for value in values if value is not None), None)


@scalar(
    "ifnull",
    "T expression, T altValue -> T",
    "Returns the second argument if the first is null.",
    category="CONDITIONAL",
    strict=False,
)
def ifnull(value: Any, other: Any) -> Any:
    """Return the value, or the other if it is null."""
    return other if value is None else value


@scalar(
    "nullif",
    "T expression1, T expression2 -> T",
    "Returns null if both arguments are equal.",
    category="CONDITIONAL",
    strict=False,
)
def nullif(value: Any, other: Any) -> Any:
    """Return null for equal values, else the first."""
    return None if value is not None and value == other else value


@scalar("as_value", "T keyColumn -> T", "Copies a key column into the value.", category="OTHER", strict=False)
def as_value(value: Any) -> Any:
    """Return the value."""
    return value


def _common_decimal(*kinds: SqlType | None) -> SqlType:
    known = [kind for kind in kinds if kind is not None]
    scale = max(kind.scale for kind in known)
    return types.decimal(max(kind.precision - kind.scale for kind in known) + scale, scale)


def _extreme(choose: Callable[[Sequence[Any]], Any]) -> Callable[..., Any]:
    def call(*values: Any) -> Any:
        if None not in values:
            return choose(values)
        present = [value for value in values if value is not None]
        return choose(present) if present else None

    return call


def _greatest(values: Sequence[Any]) -> Any:
    return max(values, key=order)


def _least(values: Sequence[Any]) -> Any:
    return min(values, key=order)


for _name, _choose, _about in (
    ("greatest", _greatest, "Returns the highest value that is not null."),
    ("least", _least, "Returns the lowest value that is not null."),
):
    for _type in ("TIME", "DATE", "BYTES", "TIMESTAMP", "DECIMAL", "INT", "BIGINT", "DOUBLE", "VARCHAR"):
        scalar(
            _name,
            f"{_type} val, {_type}... vals -> {_type}",
            _about,
            category="MATHEMATICAL",
            strict=False,
            returns=_common_decimal if _type == "DECIMAL" else None,
        )(_extreme(_choose))
