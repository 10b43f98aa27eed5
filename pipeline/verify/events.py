"""Reading Avro records out of Kafka, by the schemas they were written with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException, UnknownType
from fastavro.types import Schema

from pipeline.clients.avro import open_value, without_logical_types, writer_schema
from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.avro_columns import avro_columns
from pipeline.verify.readable import is_readable
from pipeline.verify.topics import EVENTS

_WHAT_FASTAVRO_RAISES = (EOFError, IndexError, KeyError, OverflowError, TypeError, UnicodeDecodeError, ValueError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Reader:
    """A schema without logical types, and how to convert the fields that have one: a strange value spoils no other."""

    schema: Schema
    conversions: tuple[tuple[str, Callable[[Any], Any]], ...]
    is_readable: bool


class EventReader:
    """Decodes Avro records. ``fetch`` gives the schema of an id or raises RejectedError; it is asked once an id.

    ``columns`` are those into which ksqlDB reads the records, by name in upper case.
    """

    def __init__(self, fetch: Callable[[int], dict[str, Any]], columns: Mapping[str, str | None]) -> None:
        self._fetch_schema = fetch
        self._columns = columns
        self._readers: dict[int, _Reader | None] = {}

    def record(self, value: bytes | None) -> dict[str, Any] | None:
        """Return the fields, or None where the value is not a record that a converter could read.

        Timestamps become moments in UTC, days dates, both stay numbers where Python has none such; decimals Decimal.
        """
        opened = open_value(value)
        if opened is None:
            return None
        schema_id, content = opened
        reader = self._reader(schema_id)
        if reader is None:
            return None
        try:
            record: Any = schemaless_reader(content, reader.schema, None, handle_unicode_errors="replace")
            for name, convert in reader.conversions:
                if record[name] is not None:
                    record[name] = convert(record[name])
        except _WHAT_FASTAVRO_RAISES:
            return None
        return record if isinstance(record, dict) else None

    def is_readable(self, value: bytes | None) -> bool:
        """Whether ksqlDB reads records of the value's schema."""
        opened = open_value(value)
        reader = opened and self._reader(opened[0])
        return reader is not None and reader.is_readable

    def _reader(self, schema_id: int) -> _Reader | None:
        if schema_id not in self._readers:
            self._readers[schema_id] = self._fetch(schema_id)
        return self._readers[schema_id]

    def _fetch(self, schema_id: int) -> _Reader | None:
        document = writer_schema(self._fetch_schema, schema_id)
        if document is None:
            return None
        try:
            schema = parse_schema(without_logical_types(document), named_schemas={})
        except (SchemaParseException, UnknownType):  # such as one that refers to another subject
            return None
        fields = document["fields"] if document.get("type") == "record" else []
        conversions = ((field["name"], _conversion(field["type"])) for field in fields)
        return _Reader(
            schema,
            tuple((name, convert) for name, convert in conversions if convert),
            is_readable(document, self._columns),
        )


def event_reader(registry: SchemaRegistry) -> EventReader:
    """Return a reader that knows the columns into which ksqlDB reads events: those of the newest schema."""
    newest = registry.latest_schema(f"{EVENTS}-value") or {}
    return EventReader(registry.schema_by_id, {one.name.upper(): one.type for one in avro_columns(newest)})


def _conversion(avro_type: Any) -> Callable[[Any], Any] | None:
    branches = avro_type if isinstance(avro_type, list) else [avro_type]
    declared = next((branch for branch in branches if isinstance(branch, dict)), {})
    match declared.get("logicalType"):
        case "timestamp-millis":
            return _moment
        case "date":
            return _day
        case "decimal":
            scale = int(declared.get("scale", 0))
            return lambda unscaled: _decimal(unscaled, scale)
    return None


def _moment(milliseconds: int) -> datetime | int:
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return milliseconds


def _day(days: int) -> date | int:
    try:
        return (_EPOCH + timedelta(days=days)).date()
    except OverflowError:
        return days


def _decimal(unscaled: bytes, scale: int) -> Decimal:
    if not unscaled:
        raise ValueError("a decimal without bytes")  # no converter reads it
    return Decimal(int.from_bytes(unscaled, "big", signed=True)).scaleb(-scale)
