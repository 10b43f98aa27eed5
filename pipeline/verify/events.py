"""Reading events out of Kafka records, by the schemas they were written with."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from uuid import UUID

from fastavro import parse_schema, schemaless_reader
from fastavro.types import Schema

from pipeline.errors import RejectedError

_HEADER = struct.Struct(">bI")  # Confluent's wire format: magic byte 0, schema id
_WHAT_FASTAVRO_RAISES = (EOFError, IndexError, KeyError, OverflowError, TypeError, UnicodeDecodeError, ValueError)


class EventReader:
    """Decodes Avro events. ``fetch`` gives the schema of an id or raises RejectedError; it is asked once an id."""

    def __init__(self, fetch: Callable[[int], dict[str, Any]]) -> None:
        self._fetch_schema = fetch
        self._schemas: dict[int, tuple[Schema, Schema] | None] = {}

    def event_id(self, value: bytes | None) -> UUID | None:
        """Return the event's id, or None where the value is no event that a converter could read."""
        decoded = self._decode(value, whole=False)
        return _as_uuid(decoded.get("event_id")) if decoded else None

    def event(self, value: bytes | None) -> Mapping[str, Any] | None:
        """Return the whole event, or None where the value is not Avro of a known schema."""
        return self._decode(value, whole=True)

    def _decode(self, value: bytes | None, *, whole: bool) -> Mapping[str, Any] | None:
        if value is None or len(value) < _HEADER.size:
            return None
        magic, schema_id = _HEADER.unpack_from(value)
        schemas = self._schema(schema_id) if magic == 0 else None
        if schemas is None:
            return None
        try:
            record = schemaless_reader(BytesIO(value[_HEADER.size :]), schemas[0 if whole else 1], None)
        except _WHAT_FASTAVRO_RAISES:
            return None
        return record if isinstance(record, dict) else None

    def _schema(self, schema_id: int) -> tuple[Schema, Schema] | None:
        if schema_id not in self._schemas:
            self._schemas[schema_id] = self._fetch(schema_id)
        return self._schemas[schema_id]

    def _fetch(self, schema_id: int) -> tuple[Schema, Schema] | None:
        try:
            document = self._fetch_schema(schema_id)
        except RejectedError:
            return None  # an unknown id makes the record undecodable, for the sink as well
        return parse_schema(document, named_schemas={}), parse_schema(_up_to_event_id(document), named_schemas={})


def _up_to_event_id(document: dict[str, Any]) -> dict[str, Any]:
    """Return the schema cut off after event_id: Avro is read from the front, so nothing behind it need be decoded."""
    fields = document.get("fields", [])
    position = next((index for index, field in enumerate(fields) if field["name"] == "event_id"), len(fields) - 1)
    return {**document, "fields": fields[: position + 1]}


def _as_uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None
