"""`pipeline dlq` stats, list, show, discard and export on real servers."""

from __future__ import annotations

import base64
import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from tests.integration.dead_letters.letters import Letters


def listed(letters: Letters, *options: str) -> list[dict[str, Any]]:
    """Return what `dlq list --json` prints."""
    outcome = letters.dlq("list", "--json", *options)
    assert outcome.returncode == 0, outcome.stderr
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def test_filters_choose_letters(letters: Letters) -> None:
    letters.fail(2)
    letters.fail(1, watched_percent=1, metadata="no JSON")
    percent, json_error = "user_events_watched_percent_check", "22P02"
    newest, *rest = listed(letters)
    assert (newest["sql_state"], newest["user"], newest["status"]) == (json_error, letters.user, "pending")
    assert newest["connector"] == "user-events"
    assert {letter["sql_state"] for letter in rest} == {"23514"}
    assert len(listed(letters, "--reason", percent.upper())) == 2
    assert len(listed(letters, "--reason", json_error)) == 1
    assert len(listed(letters, "--limit", "1")) == 1
    assert len(listed(letters, "--since", "1h", "--status", "pending", "--connector", "user-events")) == 3
    assert [each["id"] for each in listed(letters, "--id", str(newest["id"]))] == [newest["id"]]
    for nothing in (("--until", "1h"), ("--status", "dead"), ("--connector", "users"), ("--reason", "23505")):
        assert listed(letters, *nothing) == []


def test_a_list_for_people_shows_each_letter_and_says_if_there_are_more(letters: Letters) -> None:
    letters.fail(3)
    outcome = letters.dlq("list", "--limit", "2")
    assert outcome.returncode == 0
    assert outcome.stdout.count(letters.user) == 2
    assert "--limit shows more" in outcome.stdout


def test_statistics_count_by_connector_reason_and_day(letters: Letters) -> None:
    letters.fail(2)
    letters.fail(1, watched_percent=1, metadata="no JSON")
    lines = letters.dlq("stats", "--json").stdout.splitlines()
    groups = {group["reason"]: group for group in map(json.loads, lines)}
    assert {reason[:5]: group["pending"] for reason, group in groups.items()} == {"22P02": 1, "23514": 2}
    assert {group["connector"] for group in groups.values()} == {"user-events"}
    printed = letters.dlq("stats").stdout
    assert "3 letters: 3 pending" in printed


@pytest.mark.parametrize("command", ["stats", "list", "replay", "export"])
def test_a_filter_that_matches_nothing_says_so(letters: Letters, command: str) -> None:
    outcome = letters.dlq(command)
    assert outcome.returncode == 0
    assert "no dead letter matches" in outcome.stdout + outcome.stderr


def test_show_prints_the_fields_the_headers_the_history_and_the_missing_row(letters: Letters) -> None:
    (event,) = letters.fail(1, page="/somewhere")
    (letter,) = letters.stored()
    assert letters.dlq("replay").returncode == 1
    shown = letters.stack.pipeline("dlq", "show", str(letter["id"]))
    assert shown.returncode == 0
    text = " ".join(shown.stdout.split())
    for part in (event, "/somewhere", "user_events_watched_percent_check", "source test", "trace 00 ff"):
        assert part in text
    assert f"no such row yet: user_events where event_id = {event}" in text
    assert "replay" in text
    assert letters.dlq("replay", "--set", "watched_percent=3").returncode == 0
    again = letters.stack.pipeline("dlq", "show", str(letter["id"]))
    assert "the row that exists" in again.stdout
    assert "resolved (its row arrived)" in again.stdout


def test_show_prints_hexadecimal_where_a_value_cannot_be_decoded(letters: Letters) -> None:
    letters.send_bytes(b"\x01\x02\xff")
    letters.await_letters(1)
    shown = letters.stack.pipeline("dlq", "show", str(letters.stored()[0]["id"]))
    assert shown.returncode == 0
    assert "which cannot be decoded" in shown.stdout
    assert "01 02 ff" in shown.stdout
    assert "its key cannot be read" in " ".join(shown.stdout.split())


def test_a_letter_that_does_not_exist_is_one_clear_line(letters: Letters) -> None:
    outcome = letters.stack.pipeline("dlq", "show", "999999999")
    assert outcome.returncode == 1
    assert outcome.stderr.strip() == "error: there is no dead letter 999999999; `pipeline dlq list` shows their ids"


def test_discarded_letters_stay_with_reason_and_actor_and_can_be_brought_back(letters: Letters) -> None:
    (event,) = letters.fail(1)
    assert letters.dlq("discard").returncode == 2
    assert letters.dlq("discard", "--why", " ").returncode == 2
    outcome = letters.dlq("discard", "--why", "a test account")
    assert outcome.returncode == 0
    assert "1 letter discarded" in outcome.stdout
    (letter,) = letters.stored()
    assert (letter["status"], letter["status_reason"]) == ("discarded", "a test account")
    (action,) = letters.actions()
    assert (action["action"], action["letters"]) == ("discard", [letter["id"]])
    assert action["arguments"]["why"] == "a test account"
    assert action["actor"] == pwd.getpwuid(os.getuid()).pw_name
    assert "no dead letter matches" in letters.dlq("replay").stdout
    assert letters.dlq("replay", "--status", "discarded", "--set", "watched_percent=1").returncode == 0
    assert set(letters.rows()) == {event}


def test_discarding_everything_must_be_asked_for(letters: Letters) -> None:
    outcome = letters.stack.pipeline("dlq", "discard", "--why", "tired of them")
    assert outcome.returncode == 2
    assert "--all" in outcome.stderr


def test_an_export_holds_every_byte(letters: Letters, tmp_path: Path) -> None:
    letters.fail(1)
    letters.send_bytes(b"\x01\x02\xff")
    letters.await_letters(2)
    target = tmp_path / "letters.jsonl"
    outcome = letters.dlq("export", "--output", str(target))
    assert outcome.returncode == 0
    assert "2 letters exported" in outcome.stderr
    documents = [json.loads(line) for line in target.read_text(encoding="utf-8").splitlines()]
    stored = letters.stored()
    assert [base64.b64decode(document["value"]) for document in documents] == [
        bytes(letter["event_data"]) for letter in stored
    ]
    assert documents[0]["record"]["watched_percent"] == 101
    assert documents[1]["record"] is None
    assert {each["name"]: base64.b64decode(each["value"]) for each in documents[1]["headers"]} == {
        "trace": b"\x00\xff",
        "source": b"test",
    }
    (action,) = letters.actions()
    assert (action["action"], action["letters"]) == ("export", [letter["id"] for letter in stored])
