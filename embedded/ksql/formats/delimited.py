"""The DELIMITED format: one line of comma-separated values, quoted where needed."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.functions.casts import parse_decimal, parse_double, parse_whole
from embedded.ksql.functions.interface import EvaluationError, QueryFailedError
from embedded.ksql.functions.java_text import double_text
from embedded.ksql.functions.numbers import INT_MAX, INT_MIN, LONG_MAX, LONG_MIN, fit_exactly
from embedded.ksql.types import Base, Column, SqlType

_NAMED_DELIMITERS = {"SPACE": " ", "TAB": "\t"}
_LAST_QUOTED = "#"


def delimiter_of(option: str | None) -> str:
    """Return the character that VALUE_DELIMITER or KEY_DELIMITER stands for; a comma by default."""
    return _NAMED_DELIMITERS.get(option or ",", option or ",")


class DelimitedSerde:
    """Reads and writes columns of scalar types."""

    def __init__(self, columns: Sequence[Column], delimiter: str = ",") -> None:
        self._readers = [_reader(column.type) for column in columns]
        self._writers = [_writer(column) for column in columns]
        self._delimiter = delimiter
        self._specials = frozenset(f'{delimiter}"\r\n')

    def deserialize(self, data: bytes) -> tuple[Any, ...]:
        """Return the columns. Raises DeserializationError."""
        text = data.decode("utf-8", "replace")
        try:
            fields: list[str] = next((line for line in self._lines(text) if line), [])
        except csv.Error as error:
            raise DeserializationError(f"DELIMITED value is not well-formed: {error}") from error
        if len(fields) != len(self._readers):
            raise DeserializationError(
                f"Unexpected field count, csvFields:{len(fields)} schemaFields:{len(self._readers)}"
            )
        try:
            return tuple(read(field) if field else None for read, field in zip(self._readers, fields, strict=True))
        except (EvaluationError, ValueError) as error:
            raise DeserializationError(f"DELIMITED value does not fit the declared types: {error}") from error

    def _lines(self, text: str) -> Any:
        return csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter, strict=True)

    def serialize(self, row: tuple[Any, ...]) -> bytes | None:
        """Return the line. Raises QueryFailedError for a null DECIMAL, as ksqlDB dies of it."""
        texts = (write(value) for write, value in zip(self._writers, row, strict=True))
        line = ("" if text is None else self._quoted(text, first=index == 0) for index, text in enumerate(texts))
        return self._delimiter.join(line).encode("utf-8", "replace")

    def _quoted(self, text: str, *, first: bool) -> str:
        if self._needs_quotes(text, first=first):
            return '"' + text.replace('"', '""') + '"'
        return text

    def _needs_quotes(self, text: str, *, first: bool) -> bool:
        if not text:
            return first
        start = text[0]
        return (
            start <= _LAST_QUOTED
            or text[-1] <= " "
            or (first and not (start.isascii() and start.isalnum()))
            or not self._specials.isdisjoint(text)
        )


def _reader(kind: SqlType) -> Callable[[str], Any]:
    match kind.base:
        case Base.STRING:
            return str
        case Base.BOOLEAN:
            return lambda text: text.lower() == "true"
        case Base.INTEGER | Base.DATE | Base.TIME | Base.BIGINT | Base.TIMESTAMP:
            wide = kind.base in {Base.BIGINT, Base.TIMESTAMP}
            low, high = (LONG_MIN, LONG_MAX) if wide else (INT_MIN, INT_MAX)
            return lambda text: parse_whole(text, low, high)
        case Base.DOUBLE:
            return parse_double
        case Base.DECIMAL:
            return lambda text: fit_exactly(parse_decimal(text), kind.precision, kind.scale)
        case _:
            return _read_base64


def _read_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise EvaluationError(f"not base64: {error}") from error


def _writer(column: Column) -> Callable[[Any], str | None]:
    base = column.type.base
    convert: Callable[[Any], str] = str
    if base is Base.BOOLEAN:
        convert = _boolean_text
    elif base is Base.DOUBLE:
        convert = double_text
    elif base is Base.BYTES:
        convert = _base64_text
    elif base is Base.DECIMAL:
        return lambda value: _decimal_text(value, column)
    return lambda value: None if value is None else convert(value)


def _boolean_text(value: bool) -> str:
    return "true" if value else "false"


def _base64_text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _decimal_text(value: Any, column: Column) -> str:
    if value is None:
        raise QueryFailedError(f"Column `{column.name}`: DELIMITED cannot write a null DECIMAL; use JSON or AVRO")
    return format(value, "f")
