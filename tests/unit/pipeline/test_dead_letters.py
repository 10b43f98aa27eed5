"""Letters as JSON and on the screen, whatever somebody has written into them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from pipeline.clients.positions import Position
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
