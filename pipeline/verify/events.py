"""Reading Avro records out of Kafka, by the schemas they were written with."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import requests
from fastavro import parse_schema, schemaless_reader
from fastavro.types import Schema

from pipeline.errors import RejectedError

_HEADER = struct.Struct(">bI")  # Confluent's wire format: magic byte 0, schema id
_WHAT_FASTAVRO_RAISES = (EOFError, IndexError, KeyError, OverflowError, TypeError, UnicodeDecodeError, ValueError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Reader:
    """A schema without logical types, and how to convert the fields that have one: a strange value spoils no other."""

    schema: Schema
    conversions: tuple[tuple[str, Callable[[Any], Any]], ...]


class EventReader:
    """Decodes Avro records. ``fetch`` gives the schema of an id or raises RejectedError; it is asked once an id."""

    def __init__(self, fetch: Callable[[int], dict[str, Any]]) -> None:
        self._fetch_schema = fetch
        self._readers: dict[int, _Reader | None] = {}

    def record(self, value: bytes | None) -> dict[str, Any] | None:
        """Return the fields, or None where the value is not a record that a converter could read.

        Timestamps become moments in UTC, or stay milliseconds where Python has no such moment; decimals Decimal.
        """
        if value is None or len(value) < _HEADER.size:
            return None
        magic, schema_id = _HEADER.unpack_from(value)
        reader = self._reader(schema_id) if magic == 0 else None
        if reader is None:
            return None
        content = BytesIO(value)
        content.seek(_HEADER.size)
        try:
            record: Any = schemaless_reader(content, reader.schema, None, handle_unicode_errors="replace")
            for name, convert in reader.conversions:
                if record[name] is not None:
                    record[name] = convert(record[name])
        except _WHAT_FASTAVRO_RAISES:
            return None
        return record if isinstance(record, dict) else None

    def _reader(self, schema_id: int) -> _Reader | None:
        if schema_id not in self._readers:
            self._readers[schema_id] = self._fetch(schema_id)
        return self._readers[schema_id]

    def _fetch(self, schema_id: int) -> _Reader | None:
        try:
            document = self._fetch_schema(schema_id)
        except RejectedError as error:
            if error.status != requests.codes.not_found:
                raise  # a registry that is ill says nothing about the record
            return None  # an unknown id makes the record undecodable, for the sink as well
        conversions = (
            [(field["name"], _conversion(field["type"])) for field in document["fields"]]
            if document.get("type") == "record"
            else []
        )
        return _Reader(
            parse_schema(_without_logical_types(document), named_schemas={}),
            tuple((name, convert) for name, convert in conversions if convert),
        )


def _without_logical_types(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_logical_types(branch) for branch in schema]
    if isinstance(schema, dict):
        return {name: _without_logical_types(part) for name, part in schema.items() if name != "logicalType"}
    return schema


def _conversion(avro_type: Any) -> Callable[[Any], Any] | None:
    branches = avro_type if isinstance(avro_type, list) else [avro_type]
    declared = next((branch for branch in branches if isinstance(branch, dict)), {})
    match declared.get("logicalType"):
        case "timestamp-millis":
            return _moment
        case "decimal":
            scale = int(declared.get("scale", 0))
            return lambda unscaled: _decimal(unscaled, scale)
    return None


def _moment(milliseconds: int) -> datetime | int:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return milliseconds


def _decimal(unscaled: bytes, scale: int) -> Decimal:
    if not unscaled:
        raise ValueError("a decimal without bytes")  # no converter reads it
    return Decimal(int.from_bytes(unscaled, "big", signed=True)).scaleb(-scale)
