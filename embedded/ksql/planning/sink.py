"""Where a persistent query writes to: topic, formats and time column, from WITH and from what it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from embedded.ksql.errors import StatementError
from embedded.ksql.language import ast
from embedded.ksql.planning.interface import SourceView
from embedded.ksql.planning.plan import Format, TimestampColumn
from embedded.ksql.planning.with_clause import (
    check_format,
    key_format,
    property_texts,
    timestamp_column,
    timestamp_name,
    value_format,
)
from embedded.ksql.types import Schema


@dataclass(frozen=True, slots=True)
class SinkRequest:
    """What CREATE … AS or INSERT INTO asks for.

    ``statement_text`` is the statement's canonical text, which some messages repeat; ``default_key_format`` is that of
    keys which come of keyless sources; ``insert_into`` is the target of an INSERT INTO, whose topic and formats are
    used instead of ``properties``.
    """

    name: str
    kind: Literal["STREAM", "TABLE"]
    properties: ast.Properties = ()
    statement_text: str = ""
    default_key_format: str = "KAFKA"
    insert_into: SourceView | None = None


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """How the result is written."""

    topic: str
    key_format: Format
    value_format: Format
    timestamp: TimestampColumn | None


def check_timestamp_exists(request: SinkRequest, names: Sequence[str]) -> None:
    """Raise StatementError if TIMESTAMP names none of the selected columns: found before a missing key is."""
    name = timestamp_name(property_texts(request.properties))
    if name is not None and name not in names:
        raise StatementError(f"The TIMESTAMP column set in the WITH clause does not exist in the schema: '{name}'")


def sink_settings(request: SinkRequest, schema: Schema, source: SourceView, *, keyless: bool = False) -> SinkSettings:
    """Return topic, formats and time column. ``keyless``: PARTITION BY NULL has taken the key away.

    Raises StatementError for a time column that does not exist.
    """
    target = request.insert_into
    if target is not None:
        return SinkSettings(target.topic, target.key_format, target.value_format, target.timestamp)
    properties = property_texts(request.properties)
    return SinkSettings(
        topic=properties.get("KAFKA_TOPIC") or request.name,
        key_format=_key_format(properties, schema, source, request.default_key_format, keyless=keyless),
        value_format=value_format(properties, schema, source.value_format),
        timestamp=timestamp_column(properties, schema),
    )


def check_sink_formats(settings: SinkSettings, schema: Schema) -> None:
    """Raise KsqlError for columns that a format cannot hold."""
    check_format("Key", settings.key_format, schema.key)
    check_format("Value", settings.value_format, schema.value)


def _key_format(
    properties: dict[str, str], schema: Schema, source: SourceView, default: str, *, keyless: bool
) -> Format:
    is_new = source.key_format.name == "NONE" and schema.key and not {"KEY_FORMAT", "FORMAT"} & properties.keys()
    given = {**properties, "KEY_FORMAT": default} if is_new else properties
    return key_format(given, source.key_format, keyless=keyless)
