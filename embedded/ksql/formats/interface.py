"""What the runtime asks of a format: bytes to columns and back."""

from __future__ import annotations

from typing import Any, Protocol

from embedded.ksql.types import SqlType


class DeserializationError(Exception):
    """Bytes that are not what the declaration says; the record is skipped and logged."""


class Serde(Protocol):
    """One side (key or value) of one topic: a fixed list of columns in a fixed format."""

    def deserialize(self, data: bytes) -> tuple[Any, ...]:
        """Return the columns' values. Raises DeserializationError."""
        ...

    def serialize(self, row: tuple[Any, ...]) -> bytes | None:
        """Return the bytes. None only where the format has no text for it (a KAFKA null)."""
        ...


class SchemaRegistry(Protocol):
    """What AVRO needs of a Schema Registry. The real client is in the runtime; in-process cases use a dictionary."""

    def latest(self, subject: str) -> tuple[int, str] | None:
        """Return the id and the schema's JSON of the subject's newest version, or None."""
        ...

    def by_id(self, schema_id: int) -> str:
        """Return a schema's JSON. Raises LookupError."""
        ...

    def register(self, subject: str, schema: str) -> int:
        """Register (idempotently) and return the id. Raises StatementError if refused."""
        ...


class SchemaMapper(Protocol):
    """Columns to a registry schema and back."""

    def columns(self, schema: str) -> list[tuple[str, SqlType]]:
        """Return the columns that a registered schema declares, as ksqlDB infers them."""
        ...
