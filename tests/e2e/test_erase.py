"""Erasing a person, and the canary that erases itself: what goes, what stays, and a verification that stays exact."""

from __future__ import annotations

import json

import psycopg
import pytest

from pipeline.clients.kafka import Kafka
from pipeline.clients.records import read_records
from tests.conftest import Stack
from tests.e2e.proving import Connector, Sender, accounts, await_letters, exact

CANARY = "pipeline-canary"
TABLES = ("users", "user_events", "user_stats", "verified_records")


@pytest.fixture(scope="module")
def deployed(deployed: Stack) -> Stack:
    """The stack with everything deployed that the repository declares, and profiles of some users."""
    assert deployed.pipeline("produce", "--events", "200", "--users", "20").returncode == 0
    return deployed


def rows_of(stack: Stack, user_id: str) -> dict[str, int]:
    with psycopg.connect(stack.postgres_dsn) as connection:
        counts = {
            table: connection.execute(f"SELECT count(*) FROM {table} WHERE user_id = %s", (user_id,)).fetchone()
            for table in TABLES
        }
    return {table: row[0] for table, row in counts.items() if row and row[0]}


def everything_in_postgresql(stack: Stack) -> str:
    """Return every row of every table of ours as text."""
    with psycopg.connect(stack.postgres_dsn) as connection:
        names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        rows = [connection.execute(f"SELECT row_to_json(t)::text FROM {name} AS t").fetchall() for (name,) in names]
    return "\n".join(str(row) for table in rows for (row,) in table)


def latest_value(stack: Stack, topic: str, key: str) -> bytes | None:
    """Return the value that a compacted topic holds for a key."""
    kafka = Kafka({"bootstrap.servers": stack.kafka_bootstrap_servers})
    records = read_records(kafka.config, topic, kafka.starts(topic), kafka.ends(topic))
    values = [record.value() for record in records if record.key() == key.encode()]
    assert values, "none was ever written"
    return values[-1]


def test_a_person_is_removed_everywhere_and_verify_stays_exact(deployed: Stack) -> None:
    sender, other = Sender(deployed), Sender(deployed)
    user = sender.user_id
    profiles = deployed.pipeline("produce", "--events", "30", "--user", user, "--duplicates", "0.5")
    assert profiles.returncode == 0, profiles.stderr
    places = sender.send(sender.event(watched_percent=101), sender.event(watched_percent=102), b"not avro")
    letters = await_letters(deployed, places)
    repaired = deployed.pipeline("dlq", "replay", "--id", str(letters[0]), "--set", "watched_percent=100")
    assert repaired.returncode == 0, repaired.stdout
    assert deployed.pipeline("dlq", "discard", "--user", user, "--why", f"{user} asked").returncode == 0
    other.send(other.event())
    before = exact(deployed)
    assert rows_of(deployed, user).keys() == {"users", "user_events", "user_stats", "verified_records"}

    outcome = deployed.pipeline("erase", user, "--yes", "--json")
    assert outcome.returncode == 0, outcome.stderr
    report = json.loads(outcome.stdout)
    removed = report["removed"]
    assert [removed[table] for table in ("users", "user_events", "user_stats", "dead_letter_queue")] == [1, 31, 1, 3]
    assert {place.rpartition("-")[0] for place in report["tombstones"]} == {"users", "user-stats"}
    remains = {each["where"]: each["until"] for each in report["remains"]}
    assert remains["topic user-events"] is not None
    assert remains["topic user-stats"] is None
    assert "ksqlDB" in remains
    assert rows_of(deployed, user) == {}
    assert user not in everything_in_postgresql(deployed)
    assert latest_value(deployed, "users", user) is None
    assert latest_value(deployed, "user-stats", user) is None
    after = exact(deployed)
    assert after["records"] == before["records"]
    assert after["erased"] - before["erased"] == removed["verified_records"] > 33
    assert exact(deployed, "--full")["erased"] == after["erased"]
    assert rows_of(deployed, other.user_id)["user_events"] == 1


def test_of_what_was_done_to_letters_only_what_names_the_person_is_forgotten(deployed: Stack) -> None:
    arguments = (
        {"user": 'say "hi"'},
        {"sets": {"page": '/of/say "hi"'}},
        {"user": r"say \"hi\""},
        {"user": "sayer", "ids": [1]},
    )
    sender = Sender(deployed, 'say "hi"')
    sender.send(sender.event())
    exact(deployed)
    with psycopg.connect(deployed.postgres_dsn, autocommit=True) as connection:
        insert = "INSERT INTO dead_letter_actions (action, actor, arguments, letters) VALUES ('discard', 'a', %s, '{}')"
        for document in arguments:
            connection.execute(insert, (json.dumps(document),))
        assert deployed.pipeline("erase", sender.user_id, "--yes").returncode == 0
        stored = connection.execute("SELECT arguments FROM dead_letter_actions ORDER BY id DESC LIMIT 4").fetchall()
    assert [document for (document,) in reversed(stored)] == [{"erased": True}, {"erased": True}, *arguments[2:]]
    exact(deployed)


def test_an_erased_person_who_comes_back_is_counted_from_then_on(deployed: Stack) -> None:
    sender = Sender(deployed)
    sender.send(sender.event(), sender.event())
    exact(deployed)
    assert deployed.pipeline("erase", sender.user_id, "--yes").returncode == 0
    exact(deployed)
    sender.send(sender.event())
    found = exact(deployed)
    assert found["users_not_compared"] >= 1
    assert rows_of(deployed, sender.user_id)["user_events"] == 1


def test_a_row_of_an_erased_person_that_comes_back_is_unexpected(deployed: Stack) -> None:
    sender, connector = Sender(deployed), Connector(deployed, "user-events")
    ((partition, offset),) = sender.send(sender.event())
    exact(deployed)
    assert deployed.pipeline("erase", sender.user_id, "--yes").returncode == 0
    with connector.stopped():
        connector.move_to("user-events", partition, offset)
    # An event of somebody else that comes after it in the same partition tells that the sink has read it again.
    later = next(
        other for other in iter(lambda: Sender(deployed), None) if other.send(other.event())[0][0] == partition
    )
    assert later.user_id != sender.user_id
    found = accounts(deployed)
    (unexpected,) = found["details"]["unexpected"]
    assert unexpected["user_id"] == sender.user_id
    assert deployed.pipeline("erase", sender.user_id, "--yes").returncode == 0
    exact(deployed)


def test_statistics_of_an_erased_person_that_are_back_are_found_without_the_id(deployed: Stack) -> None:
    sender = Sender(deployed)
    sender.send(sender.event())
    exact(deployed)
    assert deployed.pipeline("erase", sender.user_id, "--yes").returncode == 0
    with psycopg.connect(deployed.postgres_dsn) as connection:
        connection.execute("INSERT INTO user_stats VALUES (%s, 1, 0, 0, now(), NULL, 0, 0.5)", (sender.user_id,))
    (found,) = accounts(deployed)["details"]["users_mismatched"]
    assert (found["user_id"], found["expected"], found["erased"]) == (sender.user_id, None, True)
    assert "erased: `pipeline erase --again`" in deployed.pipeline("verify").stdout
    again = deployed.pipeline("erase", "--again")
    assert "statistics of erased persons that were counted anew, removed: 1" in again.stdout, again.stderr
    assert rows_of(deployed, sender.user_id) == {}
    exact(deployed)
    assert json.loads(deployed.pipeline("erase", "--again", "--json").stdout) == {"erased_again": 0, "tombstones": []}
    assert deployed.pipeline("erase").returncode == 2
    assert deployed.pipeline("erase", "--again", sender.user_id).returncode == 2


def test_erasing_asks_first_and_an_unknown_person_is_said_to_be_unknown(deployed: Stack) -> None:
    sender = Sender(deployed)
    sender.send(sender.event())
    exact(deployed)
    asked = deployed.pipeline("erase", sender.user_id)
    assert asked.returncode == 1
    assert "Remove all of it for good?" in asked.stdout
    assert rows_of(deployed, sender.user_id)["user_events"] == 1
    unknown = deployed.pipeline("erase", "nobody-at-all", "--yes")
    assert unknown.returncode == 1
    assert "nobody is known as nobody-at-all" in unknown.stderr
    assert deployed.pipeline("erase", sender.user_id, "--json").returncode == 2


def test_what_was_erased_is_printed_with_what_stays(deployed: Stack) -> None:
    sender = Sender(deployed)
    sender.send(sender.event())
    exact(deployed)
    outcome = deployed.pipeline("erase", sender.user_id, "--yes")
    assert outcome.returncode == 0, outcome.stderr
    for text in ("removed from", "tombstone user-stats-", "not removed from", "topic user-events", "ksqlDB"):
        assert text in outcome.stdout
    again = deployed.pipeline("erase", sender.user_id, "--yes")
    assert again.returncode == 1
    assert "someone of this id was erased before" in again.stderr
    exact(deployed)


def test_the_canary_is_timed_and_leaves_nothing_behind(deployed: Stack) -> None:
    before = exact(deployed)
    for number in (1, 2):
        found = exact(deployed, "--canary")
        canary = found["canary"]
        assert 0 < canary["row_seconds"] < 60
        assert 0 < canary["stats_seconds"] < 60
        assert rows_of(deployed, CANARY) == {}
        assert (found["rows"], found["users"]) == (before["rows"], before["users"])
        assert found["erased"] - before["erased"] == number
    assert "canary: a row after" in deployed.pipeline("verify", "--canary").stdout


def test_a_canary_that_does_not_arrive_fails_the_verification(deployed: Stack) -> None:
    exact(deployed)
    with Connector(deployed, "user-events").stopped():
        found = accounts(deployed, "--canary", timeout_seconds=5)
    assert (found["ok"], found["canary"]["row_seconds"]) == (False, None)
    exact(deployed, "--canary")
    assert rows_of(deployed, CANARY) == {}
