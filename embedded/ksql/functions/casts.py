"""CAST and implicit widening: every pair of types that ksqlDB converts.

The functions pass null through and raise EvaluationError for a value that cannot be converted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any, TypeAlias

from embedded.ksql.errors import StatementError
from embedded.ksql.functions import java_text, partial_times
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_maps import arranged
from embedded.ksql.functions.numbers import (
    INT_MAX,
    INT_MIN,
    LONG_MAX,
    LONG_MIN,
    fit,
    saturate,
    wrap_int,
    wrap_long,
)
from embedded.ksql.functions.shapes import element_of, key_of
from embedded.ksql.types import Base, SqlType

Converter: TypeAlias = Callable[[Any], Any]

_WHOLE = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_DAY_MS = 86_400_000


def cast(value: Any, source: SqlType, target: SqlType) -> Any:
    """Return the value as the target type. Raises StatementError for types, EvaluationError for values."""
    return cast_function(source, target)(value)


@lru_cache(maxsize=4096)
def cast_function(source: SqlType, target: SqlType) -> Converter:
    """Return the conversion. Raises StatementError "Cast of … to … is not supported"."""
    if source == target:
        return _same
    convert = _collection_cast(source, target) if source.base is target.base else None
    convert = convert or _scalar_cast(source, target)
    if convert is None:
        raise StatementError(f"Cast of {source} to {target} is not supported")
    return _null_safe(convert)


def _same(value: Any) -> Any:
    return value


def _null_safe(convert: Converter) -> Converter:
    def safe(value: Any) -> Any:
        return None if value is None else convert(value)

    return safe


def _scalar_cast(source: SqlType, target: SqlType) -> Converter | None:
    if target.base is Base.STRING:
        return None if source.base is Base.BYTES else partial(java_text.text_of, kind=source)
    if target.base is Base.DECIMAL:
        return _to_decimal(source, target)
    return _CONVERSIONS.get((source.base, target.base))


def _to_decimal(source: SqlType, target: SqlType) -> Converter | None:
    precision, scale = target.precision, target.scale
    match source.base:
        case Base.INTEGER | Base.BIGINT:
            return lambda value: fit(Decimal(value), precision, scale)
        case Base.DOUBLE:
            return lambda value: fit(Decimal(repr(value)), precision, scale)
        case Base.DECIMAL:
            return lambda value: fit(value, precision, scale)
        case Base.STRING:
            return lambda value: fit(parse_decimal(value.strip()), precision, scale)
        case _:
            return None


def parse_decimal(text: str) -> Decimal:
    """Return ``new BigDecimal(text)``. Raises EvaluationError."""
    if _NUMBER.fullmatch(text) is None:
        raise EvaluationError(f"'{text}' is no number")
    return Decimal(text)


def parse_double(text: str) -> float:
    """Return ``Double.parseDouble(text)``. Raises EvaluationError."""
    stripped = text.strip()
    if _NUMBER.fullmatch(stripped) is not None:
        return float(stripped)
    if stripped.lstrip("+-") in {"NaN", "Infinity"}:
        return float(stripped.replace("Infinity", "inf"))
    if stripped[-1:] in "dDfF" and _NUMBER.fullmatch(stripped[:-1]) is not None:
        return float(stripped[:-1])
    raise EvaluationError(f"'{text}' is no number")


def parse_whole(text: str, low: int, high: int) -> int:
    """Return ``Integer.parseInt`` or ``Long.parseLong`` of the text. Raises EvaluationError."""
    if _WHOLE.fullmatch(text) is None:
        raise EvaluationError(f"'{text}' is no whole number")
    value = int(text)
    if not low <= value <= high:
        raise EvaluationError(f"{value} is out of range")
    return value


def parse_boolean(text: str) -> bool:
    """Return whether the text is a prefix of true or yes, in any case."""
    folded = text.lower()
    return bool(folded) and ("true".startswith(folded) or "yes".startswith(folded))


def _decimal_to_whole(wrap: Callable[[int], int], value: Decimal) -> int:
    return wrap(int(value))


_CONVERSIONS: dict[tuple[Base, Base], Converter] = {
    (Base.INTEGER, Base.BIGINT): _same,
    (Base.INTEGER, Base.DOUBLE): float,
    (Base.BIGINT, Base.INTEGER): wrap_int,
    (Base.BIGINT, Base.DOUBLE): float,
    (Base.DOUBLE, Base.INTEGER): partial(saturate, low=INT_MIN, high=INT_MAX),
    (Base.DOUBLE, Base.BIGINT): partial(saturate, low=LONG_MIN, high=LONG_MAX),
    (Base.DECIMAL, Base.INTEGER): partial(_decimal_to_whole, wrap_int),
    (Base.DECIMAL, Base.BIGINT): partial(_decimal_to_whole, wrap_long),
    (Base.DECIMAL, Base.DOUBLE): float,
    (Base.STRING, Base.INTEGER): lambda text: parse_whole(text.strip(), INT_MIN, INT_MAX),
    (Base.STRING, Base.BIGINT): lambda text: parse_whole(text.strip(), LONG_MIN, LONG_MAX),
    (Base.STRING, Base.DOUBLE): parse_double,
    (Base.STRING, Base.BOOLEAN): parse_boolean,
    (Base.STRING, Base.TIMESTAMP): partial_times.parse_timestamp,
    (Base.STRING, Base.DATE): partial_times.parse_date,
    (Base.STRING, Base.TIME): partial_times.parse_time,
    (Base.TIMESTAMP, Base.DATE): lambda value: value // _DAY_MS,
    (Base.TIMESTAMP, Base.TIME): lambda value: value % _DAY_MS,
    (Base.DATE, Base.TIMESTAMP): lambda value: value * _DAY_MS,
}


def _collection_cast(source: SqlType, target: SqlType) -> Converter | None:
    match source.base:
        case Base.ARRAY:
            item = cast_function(element_of(source), element_of(target))
            return lambda value: [item(element) for element in value]
        case Base.MAP:
            key, item = (
                cast_function(key_of(source), key_of(target)),
                cast_function(element_of(source), element_of(target)),
            )
            return lambda value: arranged({key(k): item(v) for k, v in value.items()}, len(value))
        case Base.STRUCT:
            return _struct_cast(source, target)
        case _:
            return None


def _struct_cast(source: SqlType, target: SqlType) -> Converter:
    known = dict(source.fields)
    items = [(name, cast_function(known[name], kind) if name in known else None) for name, kind in target.fields]

    def convert(value: dict[str, Any]) -> dict[str, Any]:
        return {name: item(value.get(name)) if item is not None else None for name, item in items}

    return convert
