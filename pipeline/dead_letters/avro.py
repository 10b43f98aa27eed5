"""Values in Confluent's wire format, read and written with the schema they were written with."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from fastavro import parse_schema, schemaless_reader, schemaless_writer
from fastavro.schema import SchemaParseException, UnknownType
from fastavro.types import Schema
from fastavro.validation import ValidationError, validate

from pipeline.clients.avro import open_value, wire_value, without_logical_types, writer_schema
from pipeline.dead_letters.logical_types import to_python, to_written

# fastavro has no error class of its own; these come from bytes that are not Avro, or values that do not fit.
_WHAT_FASTAVRO_RAISES = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class WriterSchema:
    """A record schema of the registry: field name → type as declared, and the form that fastavro works with."""

    id: int
    name: str
    types: Mapping[str, Any]
    parsed: Schema


@dataclass(frozen=True, slots=True)
class Decoded:
    """A record and the schema it was written with."""

    schema: WriterSchema
    record: Mapping[str, Any]


class AvroCodec:
    """Decodes and encodes. ``fetch`` gives the schema of an id or raises RejectedError; it is asked once an id."""

    def __init__(self, fetch: Callable[[int], dict[str, Any]]) -> None:
        self._fetch = fetch
        self._schemas: dict[int, WriterSchema | None] = {}

    def decode(self, value: bytes | None) -> Decoded | None:
        """Return the record, or None where the value is not a record of a known schema."""
        opened = open_value(value)
        if opened is None:
            return None
        schema_id, content = opened
        schema = self.schema(schema_id)
        if schema is None:
            return None
        try:
            record: Any = schemaless_reader(content, schema.parsed, None)
        except _WHAT_FASTAVRO_RAISES:
            return None
        return Decoded(schema, {name: to_python(schema.types[name], record[name]) for name in schema.types})

    def encode(self, schema: WriterSchema, record: Mapping[str, Any]) -> bytes:
        """Return the record's bytes. Raises ValueError naming the field that does not fit."""
        if unknown := sorted(record.keys() - schema.types.keys()):
            raise ValueError(f"{schema.name} has no field {', '.join(unknown)}; it has {', '.join(schema.types)}")
        written = {}
        for name, value in record.items():
            try:
                written[name] = to_written(schema.types[name], value)
            except (ValueError, KeyError) as error:
                raise ValueError(f"{name}: {error}") from error
        content = BytesIO()
        try:
            validate(written, schema.parsed)  # the writer alone takes 3.7 for an int, and writes 3
            schemaless_writer(content, schema.parsed, written)
        except ValidationError as error:
            raise ValueError(f"does not fit {schema.name}: {'; '.join(map(str, error.errors))}") from error
        except _WHAT_FASTAVRO_RAISES as error:
            raise ValueError(f"does not fit {schema.name}: {error}") from error
        return wire_value(schema.id, content.getvalue())

    def schema(self, schema_id: int) -> WriterSchema | None:
        """Return the record schema of an id, or None where the registry has none."""
        if schema_id not in self._schemas:
            self._schemas[schema_id] = self._read(schema_id)
        return self._schemas[schema_id]

    def _read(self, schema_id: int) -> WriterSchema | None:
        document = writer_schema(self._fetch, schema_id)
        if document is None or document.get("type") != "record":
            return None
        try:
            parsed = parse_schema(without_logical_types(document), named_schemas={})
        except (SchemaParseException, UnknownType):  # such as one that refers to another subject
            return None
        types = {field["name"]: field["type"] for field in document["fields"]}
        return WriterSchema(schema_id, document["name"], types, parsed)
