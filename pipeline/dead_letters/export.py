"""Letters as JSON, one a line, with every byte of theirs."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from pipeline.clients.postgres import connect
from pipeline.clients.registry import SchemaRegistry
from pipeline.dead_letters.actions import record_action
from pipeline.dead_letters.avro import AvroCodec
from pipeline.dead_letters.filters import Filters
from pipeline.dead_letters.letter import Letter
from pipeline.dead_letters.table import read_letters
from pipeline.settings import Settings


def export(settings: Settings, filters: Filters, arguments: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each letter that passes as a document; then the export is recorded."""
    codec = AvroCodec(SchemaRegistry(settings.schema_registry).schema_by_id)
    numbers = []
    with connect(settings.postgres_dsn, autocommit=True) as connection:
        for letter in read_letters(connection, filters):
            decoded = codec.decode(letter.value)
            yield letter_document(replace(letter, record=decoded.record if decoded else None))
            numbers.append(letter.id)
        if numbers:
            record_action(connection, "export", arguments, numbers)


def letter_document(letter: Letter) -> dict[str, Any]:
    """Return a letter as JSON values: ``value`` and ``key`` in base64, ``record`` decoded or null."""
    return {
        "id": letter.id,
        **letter.origin._asdict(),
        "connector": letter.connector,
        "status": letter.status,
        "status_reason": letter.status_reason,
        "retry_count": letter.retry_count,
        "reason": letter.reason,
        "stage": letter.stage,
        "sql_state": letter.sql_state,
        "error_type": letter.error_type,
        "error_message": letter.error_message,
        "user": letter.user,
        "first_seen": letter.first_seen.isoformat(),
        "last_seen": letter.last_seen.isoformat(),
        "record": json_value(letter.record),
        "headers": [{"name": name, "value": _base64(value)} for name, value in letter.headers],
        "key": _base64(letter.key),
        "value": _base64(letter.value),
    }


def json_value(value: Any) -> Any:  # noqa: PLR0911 - one case a type reads best
    """Return a field's value as JSON has it, whatever holds what."""
    match value:
        case bytes():
            return value.hex()
        case Mapping():
            return {name: json_value(part) for name, part in value.items()}
        case list():
            return [json_value(part) for part in value]
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case float() if not isfinite(value):
            return str(value)
        case _:
            return value


def _base64(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode()
