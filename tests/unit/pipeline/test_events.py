from __future__ import annotations

import json
import struct
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import fastavro
import pytest

from pipeline.errors import RejectedError
from pipeline.verify.events import EventReader

ID = UUID("0b5c0c0e-5a3b-4c9b-8a55-0d6f0f0e0f01")
SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "user-events-value.avsc").read_text(encoding="utf-8"))


def schema_by_id(schema_id: int) -> dict[str, Any]:
    """Know schema 7 only."""
    if schema_id != 7:
        raise RejectedError("unknown", status=404)
    return dict(SCHEMA)


@pytest.fixture
def reader() -> EventReader:
    return EventReader(schema_by_id)


def encoded(schema_id: int = 7, event_id: str = str(ID)) -> bytes:
    body = BytesIO()
    event = {"event_id": event_id, "user_id": "u1", "session_id": "s1", "event_type": "login", "occurred_at": 1}
    fastavro.schemaless_writer(body, fastavro.parse_schema(SCHEMA, named_schemas={}), {**event, "device": "web"})
    return struct.pack(">bI", 0, schema_id) + body.getvalue()


def test_an_event_is_read_by_the_schema_it_was_written_with(reader: EventReader) -> None:
    event = reader.event(encoded())
    assert event is not None
    assert (event["user_id"], event["event_type"]) == ("u1", "login")


def test_the_id_is_read_without_what_stands_behind_it(reader: EventReader) -> None:
    assert reader.event_id(encoded()) == ID
    assert reader.event_id(encoded()[: 5 + 1 + 36]) == ID


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{}", b"\x01" + encoded()[1:], encoded(schema_id=8), encoded()[:20], encoded(event_id="not a uuid")],
    ids=["null", "empty", "not avro", "wrong magic byte", "unknown schema", "truncated", "not a uuid"],
)
def test_what_is_no_event_has_no_id(reader: EventReader, value: bytes | None) -> None:
    assert reader.event_id(value) is None
