from __future__ import annotations

import json
import struct
from datetime import UTC, date, datetime
from decimal import Decimal
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


def test_a_registry_that_is_ill_makes_no_record_undecodable() -> None:
    def ill(_: int) -> dict[str, Any]:
        raise RejectedError("500 terminating connection", status=500)

    with pytest.raises(RejectedError, match="500"):
        EventReader(ill, {}).record(encoded())


@pytest.mark.parametrize(
    "schema",
    ["string", ["null", "string"], {"type": "record", "name": "R", "fields": [{"name": "a", "type": "Other"}]}],
)
def test_a_schema_that_is_no_record_of_its_own_makes_a_record_undecodable(schema: Any) -> None:
    assert EventReader(lambda _: schema, {}).record(encoded()) is None


@pytest.fixture
def reader() -> EventReader:
    return EventReader(schema_by_id, {})


def encoded(schema_id: int = 7, **changes: object) -> bytes:
    body = BytesIO()
    event = {"event_id": str(ID), "user_id": "u1", "session_id": "s1", "event_type": "login", "occurred_at": 1}
    fields = [{**field, "type": plain(field["type"])} for field in SCHEMA["fields"]]
    schema = fastavro.parse_schema({**SCHEMA, "fields": fields}, named_schemas={})
    fastavro.schemaless_writer(body, schema, {**event, "device": "web", **changes})
    return struct.pack(">bI", 0, schema_id) + body.getvalue()


def plain(avro_type: Any) -> Any:
    """Leave out logical types, so that a test can write what no Python value stands for."""
    if isinstance(avro_type, list):
        return [plain(branch) for branch in avro_type]
    return avro_type["type"] if isinstance(avro_type, dict) else avro_type


def test_an_event_is_read_by_the_schema_it_was_written_with(reader: EventReader) -> None:
    event = reader.record(encoded())
    assert event is not None
    assert (event["user_id"], event["event_type"]) == ("u1", "login")


@pytest.mark.parametrize(
    "value",
    [None, b"", b"{}", b"\x01" + encoded()[1:], encoded(schema_id=8), encoded()[:20]],
    ids=["null", "empty", "not avro", "wrong magic byte", "unknown schema", "truncated"],
)
def test_what_is_no_event_has_no_fields(reader: EventReader, value: bytes | None) -> None:
    assert reader.record(value) is None


def test_logical_types_become_python_values(reader: EventReader) -> None:
    event = reader.record(encoded(amount=b"\x04\xd2"))
    assert event is not None
    assert event["occurred_at"] == datetime(1970, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)
    assert event["amount"] == Decimal("12.34")


def test_a_moment_that_python_does_not_know_stays_a_number_and_spoils_nothing_else(reader: EventReader) -> None:
    event = reader.record(encoded(occurred_at=10**15))
    assert event is not None
    assert (event["occurred_at"], event["user_id"]) == (10**15, "u1")


@pytest.mark.parametrize(("days", "expected"), [(19_782, date(2024, 2, 29)), (10_000_000, 10_000_000)])
def test_days_become_dates_or_stay_numbers_where_python_has_none(days: int, expected: object) -> None:
    body = BytesIO()
    fastavro.schemaless_writer(body, {"type": "int"}, days)
    field = {"name": "day", "type": {"type": "int", "logicalType": "date"}}
    reader = EventReader(lambda _: {"type": "record", "name": "Day", "fields": [field]}, {})
    assert reader.record(struct.pack(">bI", 0, 7) + body.getvalue()) == {"day": expected}


def test_text_that_is_not_utf8_is_read_as_the_converter_reads_it(reader: EventReader) -> None:
    event = reader.record(encoded().replace(b"u1", b"\xff1"))
    assert event is not None
    assert event["user_id"] == "\ufffd1"


def test_a_decimal_without_bytes_is_not_readable(reader: EventReader) -> None:
    assert reader.record(encoded(amount=b"")) is None
