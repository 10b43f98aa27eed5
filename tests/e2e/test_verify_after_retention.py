"""`pipeline verify` where the topic has lost records: in servers of its own, as others could not read them either."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from pipeline.clients.kafka import Kafka
from pipeline.clients.lag import await_read
from pipeline.waiting import wait_until
from tests.conftest import Stack, running_stack
from tests.e2e.proving import Sender, accounts, await_letters, count, exact

ROWS = "SELECT count(*) FROM user_events"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run a stack of these tests' own."""
    with running_stack(tmp_path_factory.mktemp("retention")) as started:
        yield started


def forget_records(stack: Stack, *topics: str) -> None:
    """Let Kafka remove all that the topics hold, as retention does."""
    config = {"bootstrap.servers": stack.kafka_bootstrap_servers}
    kafka, admin = Kafka(config), AdminClient(config)
    ends = [TopicPartition(topic, *end) for topic in topics for end in kafka.ends(topic).items()]
    for removed in admin.delete_records(ends).values():
        removed.result(30)


def test_rows_whose_records_went_between_two_verifications_are_not_proven_and_not_unexpected(deployed: Stack) -> None:
    sender = Sender(deployed)
    sender.send(sender.event(), sender.event(watched_percent=101))
    before = exact(deployed)
    places = sender.send(sender.event(), sender.event(), sender.event(watched_percent=102))
    letters = await_letters(deployed, places[2:])
    wait_until(lambda: count(deployed, ROWS) == before["rows"] + 2, awaiting="the rows", timeout_seconds=60)
    kafka = Kafka({"bootstrap.servers": deployed.kafka_bootstrap_servers})
    forget_records(deployed, "user-events", "dlq.user-events")
    sender.send(sender.event())
    wait_until(lambda: count(deployed, ROWS) == before["rows"] + 3, awaiting="the row", timeout_seconds=60)
    found = accounts(deployed)
    assert (found["unproven"], found["unexpected"], found["missing"]) == (2, 0, 0)
    assert sum(each["markers"] for each in found["partitions"]) == 0
    # ksqlDB counted the refused event; nothing tells it any more.
    assert [user["user_id"] for user in found["details"]["users_mismatched"]] == [sender.user_id]
    full = accounts(deployed, "--full")
    assert {**full, "partitions": 0} == {**found, "partitions": 0}, "what only the ledger knows stays"
    assert sum(each["unread"] for each in full["partitions"]) == 4

    with psycopg.connect(deployed.postgres_dsn, autocommit=True) as connection:
        await_read(kafka, "connect-user-events", "user-events", awaiting="the sink", timeout_seconds=60)
        accounts(deployed)
        (stranger,) = connection.execute(
            "INSERT INTO user_events (event_id, user_id, session_id, event_type, occurred_at, device) "
            "VALUES (gen_random_uuid(), 'nobody', 's', 'login', now(), 'web') RETURNING event_id::text"
        ).fetchone() or ("",)
        found = accounts(deployed)
        assert (found["unproven"], [each["what"] for each in found["details"]["unexpected"]]) == (2, [stranger])
        connection.execute("DELETE FROM user_events WHERE user_id = 'nobody'")

        # What is not proven is not compared; what is remembered of the others still holds.
        before = accounts(deployed)
        connection.execute(
            "DELETE FROM user_events WHERE user_id = %s AND event_id IN (SELECT event_id FROM verified_records)",
            (sender.user_id,),
        )
        lost = accounts(deployed)
        assert (before["missing"], lost["missing"], lost["unproven"]) == (0, 2, 2)
        connection.execute("DELETE FROM dead_letter_queue WHERE id = ANY(%s)", (letters,))
        assert accounts(deployed)["missing"] == 2
