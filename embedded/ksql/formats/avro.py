"""The AVRO format: Confluent's wire format (0, four bytes of schema id, body) and a Schema Registry."""

from __future__ import annotations

import struct
from collections.abc import Callable, Container, Sequence
from typing import Any

from embedded.ksql.formats.avro_decoding import row_decoder
from embedded.ksql.formats.avro_encoding import encoder_of, row_encoder
from embedded.ksql.formats.avro_inference import columns_of
from embedded.ksql.formats.avro_reading import Decoder
from embedded.ksql.formats.avro_schemas import NAMESPACE, RECORD, bare_schema_of, schema_of
from embedded.ksql.formats.interface import DeserializationError, SchemaRegistry
from embedded.ksql.types import Column

__all__ = ["AvroSerde", "columns_of", "key_schema_name", "schema_of"]

_HEADER = struct.Struct(">bI")


def key_schema_name(source_name: str) -> str:
    """Return the record name of an AVRO key of several columns: FIRST_EVENTS gives ``….FirstEventsKey``."""
    camel = "".join(word.capitalize() for word in source_name.split("_"))
    return f"{NAMESPACE}.{camel}Key"


class AvroSerde:
    """Reads with each record's own writer schema; writes with one schema, registered at the first record.

    Only the columns that are ``used`` (None: all) need be read; others may come as null.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        subject: str,
        registry: SchemaRegistry,
        *,
        full_name: str | None = None,
        bare: bool = False,
        used: Container[str] | None = None,
    ) -> None:
        namespace, _, name = (full_name or f"{NAMESPACE}.{RECORD}").rpartition(".")
        self.columns = tuple(columns)
        self.subject = subject
        self.schema = bare_schema_of(columns[0]) if bare else schema_of(columns, name, namespace)
        self._registry = registry
        self._bare = bare
        self._used = used
        self._decoders: dict[bytes, Decoder] = {}
        self._encode: Callable[[tuple[Any, ...]], bytes] | None = None

    def deserialize(self, data: bytes) -> tuple[Any, ...]:
        """Return the columns. Raises DeserializationError."""
        decode = self._decoders.get(data[:5]) or self._decoder(data)
        try:
            row, behind = decode(data, 5)
        except DeserializationError:
            raise
        except (IndexError, ValueError, ArithmeticError, struct.error) as error:
            raise DeserializationError(f"AVRO value is not what its schema says: {error}") from error
        if behind > len(data):
            raise DeserializationError(f"AVRO value ends after {len(data)} bytes; its schema asks for {behind}")
        values: tuple[Any, ...] = row
        return values

    def _decoder(self, data: bytes) -> Decoder:
        if len(data) < _HEADER.size:
            raise DeserializationError(f"AVRO value has {len(data)} bytes, too short for a schema id (5 bytes)")
        magic, schema_id = _HEADER.unpack_from(data)
        if magic != 0:
            raise DeserializationError(
                f"AVRO value starts with byte {magic & 0xFF}, not 0: it was not written with a Schema Registry"
            )
        try:
            schema = self._registry.by_id(schema_id)
        except LookupError as error:
            raise DeserializationError(f"AVRO value names schema id {schema_id}, which the registry lacks") from error
        try:
            decode = row_decoder(schema, self.columns, bare=self._bare, used=self._used)
        except (LookupError, ValueError) as error:
            raise DeserializationError(f"schema id {schema_id} cannot be used: {error}") from error
        self._decoders[data[:5]] = decode
        return decode

    def register(self) -> int:
        """Register the schema for writing and return its id. Raises StatementError if the registry refuses."""
        schema_id = self._registry.register(self.subject, self.schema)
        header = _HEADER.pack(0, schema_id)
        if self._bare:
            encode = encoder_of(self.columns[0].type)
            self._encode = lambda row: header + encode(row[0])
        else:
            self._encode = row_encoder([column.type for column in self.columns], header)
        return schema_id

    def serialize(self, row: tuple[Any, ...]) -> bytes | None:
        """Return the bytes; None for a bare null."""
        if self._bare and row[0] is None:
            return None
        if self._encode is None:
            self.register()
        return self._encode(row) if self._encode is not None else None
