"""The JSON format: an object by column name, or one bare value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedded.ksql.formats import json_reading, json_writing
from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.types import Column


class JsonSerde:
    """Reads and writes columns as one JSON object."""

    def __init__(self, columns: Sequence[Column]) -> None:
        fields = [(column.name, column.type) for column in columns]
        self._read = json_reading.fields_reader(fields)
        self._write = json_writing.object_writer(fields)
        self._nulls = (None,) * len(fields)

    def deserialize(self, data: bytes) -> tuple[Any, ...]:
        """Return the columns; JSON null is a row of nulls. Raises DeserializationError."""
        document = json_reading.parse(data)
        if type(document) is dict:
            try:
                return self._read(document)
            except (EvaluationError, ArithmeticError) as error:
                raise DeserializationError(f"JSON does not fit the declared types: {error}") from error
        if document is None:
            return self._nulls
        raise DeserializationError(f"expected a JSON object, got {str(document)[:40]!r}; is WRAP_SINGLE_VALUE right?")

    def serialize(self, row: tuple[Any, ...]) -> bytes | None:
        """Return the object's text."""
        return self._write(row).encode("utf-8", "replace")


class BareJsonSerde:
    """Reads and writes the only column as a bare JSON value."""

    def __init__(self, column: Column) -> None:
        self._read = json_reading.reader_of(column.type)
        self._write = json_writing.writer_of(column.type)

    def deserialize(self, data: bytes) -> tuple[Any, ...]:
        """Return the column. Raises DeserializationError."""
        document = json_reading.parse(data)
        try:
            return (self._read(document),)
        except (EvaluationError, ArithmeticError) as error:
            raise DeserializationError(f"JSON does not fit the declared type: {error}") from error

    def serialize(self, row: tuple[Any, ...]) -> bytes | None:
        """Return the value's text; None for null."""
        return None if row[0] is None else self._write(row[0]).encode("utf-8", "replace")
