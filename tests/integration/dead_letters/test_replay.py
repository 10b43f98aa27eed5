"""`pipeline dlq replay` on real servers: to the sink that failed and nobody else, repaired, and never twice."""

from __future__ import annotations

import json
import signal
import subprocess

import psutil
import pytest

from pipeline.waiting import wait_until
from tests.faults import hanging
from tests.integration.dead_letters.letters import WAIT_SECONDS, Letters

TRANSFORMS = "tests.integration.dead_letters.transforms"


def test_a_repaired_letter_becomes_its_row_and_is_resolved(letters: Letters) -> None:
    (event,) = letters.fail(1, page="/x")
    outcome = letters.dlq("replay", "--set", "watched_percent=55", "--unset", "page")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert "replayed 1 of 1 letters" in outcome.stdout
    assert "1 resolved: their rows arrived" in outcome.stdout
    (letter,) = letters.stored()
    assert (letter["status"], letter["status_reason"], letter["row_key"]) == ("resolved", "its row arrived", event)
    assert (letters.rows()[event]["watched_percent"], letters.rows()[event]["page"]) == (55, None)
    (action,) = letters.actions()
    assert (action["action"], action["letters"], action["settled"]) == ("replay", [letter["id"]], True)
    assert action["arguments"]["sets"] == {"watched_percent": "55"}
    assert action["actor"]


def test_a_dry_run_shows_what_would_be_sent_and_changes_nothing(letters: Letters) -> None:
    (event,) = letters.fail(1)
    outcome = letters.dlq("replay", "--dry-run", "--set", "watched_percent=5")
    assert outcome.returncode == 0
    assert "dry run: 1 of 1 letters would be sent; nothing was changed" in outcome.stdout
    assert event in outcome.stdout
    assert "repaired" in outcome.stdout
    assert (letters.statuses(), letters.actions(), letters.sent_again()) == (["pending"], [], 0)


def test_a_limit_takes_the_oldest_and_json_counts(letters: Letters) -> None:
    events = letters.fail(3)
    outcome = letters.dlq("replay", "--limit", "2", "--set", "watched_percent=5", "--json")
    assert outcome.returncode == 0
    counts = json.loads(outcome.stdout)
    assert (counts["selected"], counts["sent"], counts["resolved"], counts["failed_again"]) == (2, 2, 2, 0)
    assert letters.statuses() == ["resolved", "resolved", "pending"]
    assert len(letters.rows()) == 2
    assert set(letters.rows()) < set(events)


def test_a_transform_repairs_and_where_it_raises_that_letter_stays_and_the_rest_go_on(letters: Letters) -> None:
    letters.fail(4)
    outcome = letters.dlq("replay", "--transform", f"{TRANSFORMS}:odd_ones_are_beyond_repair")
    assert outcome.returncode == 1
    assert "replayed 2 of 4 letters" in outcome.stdout
    assert "2 kept: they stay as they were" in outcome.stdout
    assert "2 x the transform raised ArithmeticError: an odd percentage" in outcome.stdout
    assert sorted(letters.statuses()) == ["pending", "pending", "resolved", "resolved"]
    assert {row["watched_percent"] for row in letters.rows().values()} == {100}
    failures = {reason for action in letters.actions() for reason in action["failures"].values()}
    assert failures == {"the transform raised ArithmeticError: an odd percentage"}
    again = letters.dlq("replay", "--transform", f"{TRANSFORMS}:at_most_hundred")
    assert again.returncode == 0
    assert letters.statuses() == ["resolved"] * 4


def test_a_letter_that_names_a_topic_that_is_not_there_is_kept_with_the_reason(letters: Letters) -> None:
    letters.forge("users", topic="nothing-there", partition="7", offset="0")
    letters.await_letters(1)
    outcome = letters.dlq("replay")
    assert outcome.returncode == 1
    assert "connector users does not read nothing-there.retry.users" in outcome.stdout
    assert letters.statuses() == ["pending"]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--transform", f"{TRANSFORMS}:a_number"), "the transform returned int; fields (a dict) or bytes"),
        (("--set", "event_id=0b5c0c0e-5a3b-4c9b-8a55-0d6f0f0e0f01"), "event_id may not change"),
        (("--set", "colour=red"), "UserEvent has no field colour; it has event_id"),
        (("--set", "watched_percent=half"), "watched_percent: "),
        (("--unset", "session_id"), "session_id"),
    ],
    ids=["a transform of the wrong type", "another id", "an unknown field", "no number", "null where none may be"],
)
def test_a_repair_that_does_not_fit_keeps_the_letter_with_the_reason(
    letters: Letters, options: tuple[str, ...], reason: str
) -> None:
    letters.fail(1)
    outcome = letters.dlq("replay", *options)
    assert outcome.returncode == 1
    assert "1 kept: they stay as they were" in outcome.stdout
    assert reason in " ".join(outcome.stdout.split())
    assert (letters.statuses(), letters.sent_again()) == (["pending"], 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--transform", "no_such_module:repair"), "no_such_module"),
        (("--transform", f"{TRANSFORMS}:nothing"), "nothing"),
        (("--transform", f"{TRANSFORMS}:NO_FUNCTION"), "NO_FUNCTION is no function"),
        (("--transform", "repair"), "write module:function"),
        (("--set", "watched_percent"), "write --set field=value"),
    ],
)
def test_a_repair_that_cannot_be_understood_is_a_usage_error(
    letters: Letters, options: tuple[str, ...], message: str
) -> None:
    outcome = letters.dlq("replay", *options)
    assert outcome.returncode == 2
    assert message in outcome.stderr


def test_a_record_that_cannot_be_decoded_takes_no_single_field(letters: Letters) -> None:
    letters.send_bytes(b"no Avro")
    letters.await_letters(1)
    outcome = letters.dlq("replay", "--set", "watched_percent=1")
    assert outcome.returncode == 1
    assert "it cannot be decoded, so single fields cannot be set; use --transform" in outcome.stdout


def test_an_id_that_postgresql_cannot_hold_keeps_no_other_letter_from_being_sent(letters: Letters) -> None:
    letters.send({"event_id": "a\0b"})
    letters.await_letters(1)
    (event,) = letters.fail(1)
    outcome = letters.dlq("replay", "--set", "watched_percent=5")
    assert "1 resolved: their rows arrived" in outcome.stdout, outcome.stderr
    assert "1 failed again" in outcome.stdout
    assert letters.rows().keys() == {event}
    assert letters.statuses() == ["pending", "resolved"]


def test_a_letter_that_fails_again_keeps_its_identity_and_is_dead_after_five_replays(letters: Letters) -> None:
    (event,) = letters.fail(1)
    (before,) = letters.stored()
    for attempt in range(1, 6):
        outcome = letters.dlq("replay")
        assert outcome.returncode == 1
        assert "1 failed again" in outcome.stdout
        (letter,) = letters.stored()
        assert letter["retry_count"] == attempt
    unchanged = ("id", "source_topic", "source_partition", "source_offset", "event_data", "headers", "first_seen")
    assert {name: letter[name] for name in unchanged} == {name: before[name] for name in unchanged}
    assert (letter["status"], letter["status_reason"]) == ("dead", "failed after five replays")
    assert letter["last_seen"] > before["last_seen"]
    assert "no dead letter matches" in letters.dlq("replay").stdout
    assert letters.dlq("replay", "--status", "dead", "--set", "watched_percent=1").returncode == 0
    assert letters.statuses() == ["resolved"]
    assert set(letters.rows()) == {event}


def test_a_row_that_arrives_by_another_way_resolves_its_letter(letters: Letters) -> None:
    (event,) = letters.fail(1)
    assert letters.dlq("replay").returncode == 1
    assert letters.statuses() == ["pending"]
    letters.send({"event_id": event, "watched_percent": 100})
    wait_until(lambda: letters.statuses() == ["resolved"], awaiting="the letter", timeout_seconds=WAIT_SECONDS)


def test_of_two_replays_at_once_the_second_refuses(letters: Letters) -> None:
    letters.fail(6)
    first = letters.begin("replay", "--rate", "2", "--set", "watched_percent=1")
    wait_until(letters.actions, awaiting="the first replay", timeout_seconds=WAIT_SECONDS)
    with hanging(psutil.Process(first.pid)):  # or it may end before the second begins
        second = letters.dlq("replay", "--set", "watched_percent=2")
    assert second.returncode == 1
    assert "another replay is running since" in second.stderr
    assert "repeat this one" in second.stderr
    out, err = first.communicate(timeout=WAIT_SECONDS)
    assert first.returncode == 0, out + err
    assert letters.sent_again() == 6
    assert {row["watched_percent"] for row in letters.rows().values()} == {1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_replay_that_is_interrupted_and_repeated_sends_nothing_twice(
    letters: Letters, number: signal.Signals
) -> None:
    events = letters.fail(10)
    replaying = letters.begin("replay", "--rate", "1", "--set", "watched_percent=1")
    wait_until(lambda: letters.sent_again() > 0, awaiting="the first record", timeout_seconds=WAIT_SECONDS)
    replaying.send_signal(number)
    out, _ = replaying.communicate(timeout=WAIT_SECONDS)
    assert 0 < letters.sent_again() < len(events)
    if number == signal.SIGINT:
        assert "interrupted after" in out
        assert replaying.returncode == 1
    again = _replayed_once_free(letters)
    assert again.returncode == 0, again.stdout + again.stderr
    assert letters.sent_again() == len(events)
    assert set(letters.rows()) == set(events)
    assert letters.statuses() == ["resolved"] * len(events)


def test_a_replay_that_waits_for_its_outcome_ends_when_it_is_interrupted(letters: Letters) -> None:
    (event,) = letters.fail(1)
    assert letters.stack.pipeline("connectors", "pause", "user-events").returncode == 0
    try:
        replaying = letters.begin("replay", "--timeout", "600", "--set", "watched_percent=1")
        wait_until(lambda: letters.sent_again() == 1, awaiting="the record", timeout_seconds=WAIT_SECONDS)
        replaying.send_signal(signal.SIGINT)
        out, _ = replaying.communicate(timeout=WAIT_SECONDS)
        assert "1 on their way" in out
    finally:
        assert letters.stack.pipeline("connectors", "resume", "user-events").returncode == 0
    wait_until(lambda: letters.rows().keys() == {event}, awaiting="the row", timeout_seconds=WAIT_SECONDS)


def _replayed_once_free(letters: Letters) -> subprocess.CompletedProcess[str]:
    """Replay as soon as PostgreSQL has noticed that a killed replay is gone."""

    def replayed() -> subprocess.CompletedProcess[str] | None:
        outcome = letters.dlq("replay", "--set", "watched_percent=1")
        return None if "another replay is running" in outcome.stderr else outcome

    return wait_until(replayed, awaiting="the lock of replays", timeout_seconds=WAIT_SECONDS)
