"""Values as Java prints them: what CAST AS STRING, JSON text columns and HISTOGRAM show."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from embedded.ksql.functions.java_calendar import LAST_YEAR_WITHOUT_SIGN, clock_of, date_of, era_date_of
from embedded.ksql.functions.shapes import element_of, key_of
from embedded.ksql.types import Base, SqlType

_PLAIN_FROM, _PLAIN_BELOW = 1e-3, 1e7
_SMALLEST_DOUBLE = 5e-324


def double_text(value: float) -> str:
    """Return ``Double.toString``: ``1.0``, ``1.5E-7``, ``NaN``, ``-Infinity``."""
    if _PLAIN_FROM <= value < _PLAIN_BELOW or -_PLAIN_BELOW < value <= -_PLAIN_FROM or value == 0:
        return repr(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if abs(value) == _SMALLEST_DOUBLE:
        return "4.9E-324" if value > 0 else "-4.9E-324"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = len(text) - 1 + int(exponent)
    return f"{'-' if sign else ''}{text[0]}.{text[1:] or '0'}E{power}"


def timestamp_text(milliseconds: int) -> str:
    """Return ksqlDB's text of a TIMESTAMP, e.g. ``2023-11-14T22:13:20.123``; years BC look like years AD."""
    days, clock = clock_of(milliseconds)
    year, month, day = era_date_of(days)
    return f"{'+' if year > LAST_YEAR_WITHOUT_SIGN else ''}{year:04d}-{month:02d}-{day:02d}T{clock}"


def date_text(days: int) -> str:
    """Return ``LocalDate.toString`` of days since 1970: ``2024-02-29``, ``+10000-01-01``, ``-0001-12-31``."""
    year, month, day = date_of(days)
    sign = "-" if year < 0 else "+" if year > LAST_YEAR_WITHOUT_SIGN else ""
    return f"{sign}{abs(year):04d}-{month:02d}-{day:02d}"


def time_text(milliseconds: int) -> str:
    """Return ``LocalTime.toString`` of whole seconds: the seconds are left out where they are zero."""
    seconds = milliseconds // 1000
    text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"
    return f"{text}:{seconds % 60:02d}" if seconds % 60 else text


def element_text(value: Any, kind: SqlType) -> str:
    """Return Java's ``toString`` of a value inside a collection (SQL times print differently there)."""
    if value is None:
        return "null"
    match kind.base:
        case Base.TIMESTAMP:
            text = timestamp_text(value).replace("T", " ")
            return text.rstrip("0") + "0" if text.endswith(".000") else text.rstrip("0")
        case Base.TIME:
            seconds = value // 1000
            return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        case Base.DECIMAL:
            return str(value)
        case _:
            return text_of(value, kind)


def text_of(value: Any, kind: SqlType) -> str:
    """Return ksqlDB's text of a value that is not null."""
    write = _SCALARS.get(kind.base)
    return write(value) if write is not None else _collection_text(value, kind)


def _boolean_text(value: bool) -> str:
    return "true" if value else "false"


def _bytes_text(value: bytes) -> str:
    return f"java.nio.HeapByteBuffer[pos=0 lim={len(value)} cap={len(value)}]"


_SCALARS: dict[Base, Callable[[Any], str]] = {
    Base.STRING: str,
    Base.BOOLEAN: _boolean_text,
    Base.INTEGER: str,
    Base.BIGINT: str,
    Base.DOUBLE: double_text,
    Base.DECIMAL: lambda value: format(value, "f"),
    Base.TIMESTAMP: timestamp_text,
    Base.DATE: date_text,
    Base.TIME: time_text,
    Base.BYTES: _bytes_text,
}


def _collection_text(value: Any, kind: SqlType) -> str:
    if kind.base is Base.STRUCT:
        present = [(name, field) for name, field in kind.fields if value.get(name) is not None]
        return "Struct{" + ",".join(f"{name}={element_text(value[name], field)}" for name, field in present) + "}"
    if kind.base is Base.ARRAY:
        return "[" + ", ".join(element_text(item, element_of(kind)) for item in value) + "]"
    entries = (f"{element_text(k, key_of(kind))}={element_text(v, element_of(kind))}" for k, v in value.items())
    return "{" + ", ".join(entries) + "}"
