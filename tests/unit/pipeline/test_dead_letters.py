"""Letters as JSON and on the screen, whatever somebody has written into them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipeline.clients.positions import Position
from pipeline.dead_letters.avro import AvroCodec
from pipeline.dead_letters.export import letter_document
from pipeline.dead_letters.letter import Letter
from pipeline.dead_letters.look import Look
from pipeline.report.console import out
from pipeline.report.dead_letters import print_look
from pipeline.report.verification import print_verification
from pipeline.verify.verification import Findings, Unexpected, Verification

MARKUP = "[/x] [bold"


def letter(record: dict[str, Any] | None = None) -> Letter:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    return Letter(
        id=7,
        origin=Position(MARKUP, 0, 1),
        connector="users",
        stage="TASK_PUT",
        sql_state=None,
        error_type="Exception",
        error_message=MARKUP,
        key=MARKUP.encode(),
        value=MARKUP.encode(),
        headers=((MARKUP, MARKUP.encode()),),
        status="pending",
        status_reason=MARKUP,
        retry_count=0,
        row_key=None,
        first_seen=now,
        last_seen=now,
        record=record,
    )


def test_a_letter_is_json_whatever_types_its_fields_hold() -> None:
    record = {
        "list": [b"\x01", Decimal("1.50"), [date(2026, 1, 2)]],
        "record": {"at": datetime(2026, 1, 2, tzinfo=UTC), "bytes": {"a": b"\xff"}},
        "number": float("nan"),
        "plain": 1,
    }
    document = json.loads(json.dumps(letter_document(letter(record)), allow_nan=False))
    assert document["record"] == {
        "list": ["01", "1.50", ["2026-01-02"]],
        "record": {"at": "2026-01-02T00:00:00+00:00", "bytes": {"a": "ff"}},
        "number": "nan",
        "plain": 1,
    }
    assert letter_document(letter())["record"] is None


def codec(avro_type: Any) -> AvroCodec:
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": avro_type}]}
    return AvroCodec(lambda _: schema)


DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 2}


@pytest.mark.parametrize(
    ("avro_type", "value"),
    [
        ("int", 3.7),
        ("int", True),
        ("int", 2**31),
        ("long", 3.5),
        ("boolean", "no"),
        ("boolean", 2),
        (["null", "int"], 3.7),
        ({"type": "array", "items": "int"}, [1.5]),
        (DECIMAL, Decimal("0.001")),
    ],
)
def test_a_repair_that_would_write_another_value_is_refused(avro_type: Any, value: object) -> None:
    writer = codec(avro_type)
    schema = writer.schema(1)
    assert schema is not None
    with pytest.raises(ValueError, match=r"does not fit R: R\.a is|has more than 2 decimals"):
        writer.encode(schema, {"a": value})


@pytest.mark.parametrize("value", [Decimal("12345678901234567890123456789012345.67"), Decimal("-0.01")])
def test_a_decimal_keeps_all_of_its_digits(value: Decimal) -> None:
    writer = codec(DECIMAL)
    schema = writer.schema(1)
    assert schema is not None
    decoded = writer.decode(writer.encode(schema, {"a": value}))
    assert decoded is not None
    assert decoded.record == {"a": value}


def test_what_looks_like_markup_in_a_letter_is_shown_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    shown = Look(letter({MARKUP: MARKUP}), MARKUP, {MARKUP: MARKUP}, MARKUP, [])
    with out.capture() as captured:
        print_look(shown)
    assert f"value, as {MARKUP}" in captured.get()
    assert f"the row that exists: {MARKUP}" in captured.get()
    assert capsys.readouterr().err == ""


def test_what_looks_like_markup_in_a_row_that_nobody_sent_is_shown_as_it_stands() -> None:
    found = Findings(1, (Unexpected("dead_letter_queue", f"{MARKUP}-0@1", MARKUP),))
    with out.capture() as captured:
        print_verification(Verification(unexpected=found))
    assert f"{MARKUP}-0@1" in captured.get()
