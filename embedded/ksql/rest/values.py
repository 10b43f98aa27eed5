"""Column values as the REST API writes them: JSON, with times as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from json.encoder import encode_basestring
from typing import Any

from embedded.ksql.formats.json_writing import writer_of
from embedded.ksql.functions.java_calendar import clock_of, legacy_date_of
from embedded.ksql.functions.java_text import date_text, time_text
from embedded.ksql.functions.shapes import element_of
from embedded.ksql.types import Base, SqlType

Writer = Callable[[Any], str]


def row_writer(types: Sequence[SqlType]) -> Callable[[Sequence[Any]], str]:
    """Return the function from a row to the text of a JSON array."""
    writers = [value_writer(kind) for kind in types]
    return lambda row: "[" + ",".join([write(value) for write, value in zip(writers, row, strict=True)]) + "]"


def value_writer(kind: SqlType) -> Writer:
    """Return the function from a value, which may be None, to its JSON text."""
    write = _writer(kind)
    return lambda value: "null" if value is None else write(value)


def _writer(kind: SqlType) -> Writer:  # noqa: PLR0911 - one line a type reads best
    match kind.base:
        case Base.TIMESTAMP:
            return lambda value: f'"{_timestamp(value)}"'
        case Base.DATE:
            return lambda value: f'"{date_text(value)}"'
        case Base.TIME:
            return lambda value: f'"{"-" if value < 0 else ""}{time_text(abs(value))}"'
        case Base.ARRAY:
            item = value_writer(element_of(kind))
            return lambda value: "[" + ",".join(map(item, value)) + "]"
        case Base.MAP:
            item = value_writer(element_of(kind))
            return lambda value: (
                "{" + ",".join(f"{encode_basestring(str(key))}:{item(one)}" for key, one in value.items()) + "}"
            )
        case Base.STRUCT:
            fields = [(name, encode_basestring(name), value_writer(field)) for name, field in kind.fields]
            return lambda value: (
                "{" + ",".join(f"{label}:{write(value.get(name))}" for name, label, write in fields) + "}"
            )
        case _:
            return writer_of(kind)


def _timestamp(milliseconds: int) -> str:
    """Return what ``SimpleDateFormat`` makes of it, which knows neither signs nor eras."""
    days, clock = clock_of(milliseconds)
    year, month, day = legacy_date_of(days)
    return f"{year:04d}-{month:02d}-{day:02d}T{clock}"
