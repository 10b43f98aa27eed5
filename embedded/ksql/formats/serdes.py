"""The serde of one side of one topic, by its declared format."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from embedded.ksql.errors import StatementError
from embedded.ksql.formats.avro import AvroSerde
from embedded.ksql.formats.delimited import DelimitedSerde, delimiter_of
from embedded.ksql.formats.interface import SchemaRegistry, Serde
from embedded.ksql.formats.json_format import BareJsonSerde, JsonSerde
from embedded.ksql.formats.kafka import KafkaSerde
from embedded.ksql.planning.plan import Format
from embedded.ksql.types import Column


class NoneSerde:
    """The NONE format: nothing is read, nothing is written."""

    def deserialize(self, data: bytes) -> tuple[Any, ...]:  # noqa: ARG002 - the protocol's argument
        """Return no columns."""
        return ()

    def serialize(self, row: tuple[Any, ...]) -> bytes | None:  # noqa: ARG002 - the protocol's argument
        """Return no bytes."""
        return None


def value_serde(
    format: Format,  # noqa: A002 - the word of the plan
    columns: Sequence[Column],
    *,
    topic: str,
    registry: SchemaRegistry,
    used: Container[str] | None = None,
) -> Serde:
    """Return the serde of a topic's values. ``columns`` are without HEADER columns.

    Those that are not ``used`` (None: all are) may be read as null, where the format saves time by that.
    """
    options = dict(format.options)
    subject = options.get("SUBJECT", f"{topic}-value")
    if format.name == "AVRO" and columns and used is not None:
        return AvroSerde(columns, subject, registry, bare=format.unwrapped, used=used)
    return _serde(format, columns, subject, registry, bare=format.unwrapped)


def key_serde(
    format: Format,  # noqa: A002 - the word of the plan
    columns: Sequence[Column],
    *,
    topic: str,
    registry: SchemaRegistry,
) -> Serde:
    """Return the serde of a topic's keys (without a window: see ``windowed_keys``). One column is written bare."""
    options = dict(format.options)
    return _serde(format, columns, options.get("SUBJECT", f"{topic}-key"), registry, bare=len(columns) == 1)


def _serde(declared: Format, columns: Sequence[Column], subject: str, registry: SchemaRegistry, *, bare: bool) -> Serde:
    options = dict(declared.options)
    if not columns:
        return NoneSerde()
    match declared.name:
        case "KAFKA":
            return KafkaSerde(columns)
        case "DELIMITED":
            return DelimitedSerde(columns, delimiter_of(options.get("DELIMITER")))
        case "JSON":
            return BareJsonSerde(columns[0]) if bare else JsonSerde(columns)
        case "AVRO":
            return AvroSerde(columns, subject, registry, full_name=options.get("FULL_SCHEMA_NAME"), bare=bare)
        case _:
            raise StatementError(f"The '{declared.name}' format cannot hold columns; declare another one")
