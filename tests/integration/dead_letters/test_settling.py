"""What becomes of letters whose rows no trigger sees arrive, while other letters keep coming."""

from __future__ import annotations

from typing import Any

import psycopg
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from pipeline.clients.kafka import Kafka
from pipeline.clients.letter_headers import replay_headers
from pipeline.clients.positions import Position
from pipeline.dead_letters.actions import begin_replay, end_replay
from pipeline.dead_letters.settle import settle
from pipeline.waiting import wait_until
from tests.integration.dead_letters.letters import RETRY_TOPIC, WAIT_SECONDS, Letters


def test_a_letter_that_the_sink_took_is_resolved_while_others_are_on_their_way(letters: Letters) -> None:
    letters.fail(2)
    taken, refused = letters.stored()
    kafka = Kafka({"bootstrap.servers": letters.stack.kafka_bootstrap_servers})
    assert letters.stack.pipeline("connectors", "pause", "dead-letters").returncode == 0
    try:
        with psycopg.connect(letters.stack.postgres_dsn, autocommit=True) as connection:
            action = _replay(connection, kafka, [taken["id"], refused["id"]])
            letters.forge("user-events", topic="user-events", partition="0", offset="888888")
            _refuse(letters, refused)
            settle(connection, kafka)
            assert letters.statuses() == ["resolved", "retrying"]
            assert letters.stored()[0]["status_reason"] == "the sink took it"
            assert letters.stack.pipeline("connectors", "resume", "dead-letters").returncode == 0
            wait_until(
                lambda: letters.statuses()[:2] == ["resolved", "pending"],
                awaiting="the letter that failed again",
                timeout_seconds=WAIT_SECONDS,
            )
            settle(connection, kafka)
            settled = connection.execute("SELECT settled FROM dead_letter_actions WHERE id = %s", (action,))
            assert settled.fetchall() == [(True,)]
    finally:
        assert letters.stack.pipeline("connectors", "resume", "dead-letters").returncode == 0


def test_an_interrupted_replay_is_recovered_where_retention_has_removed_what_it_sent(letters: Letters) -> None:
    letters.fail(1)
    kafka = Kafka({"bootstrap.servers": letters.stack.kafka_bootstrap_servers})
    topic = f"{letters.user}.retry.user-events"
    kafka.create_topic(topic, 1, 1, {})
    producer = Producer({"bootstrap.servers": letters.stack.kafka_bootstrap_servers})
    producer.produce(topic, b"sent")
    assert producer.flush(30) == 0
    admin = AdminClient(kafka.config)
    for removed in admin.delete_records([TopicPartition(topic, 0, 1)]).values():
        removed.result(30)
    with psycopg.connect(letters.stack.postgres_dsn, autocommit=True) as connection:
        action_id = begin_replay(connection, {}, "user-events", topic, {0: 0})
        connection.execute(
            "UPDATE dead_letter_queue SET status = 'retrying', action_id = %s WHERE id = %s",
            (action_id, letters.stored()[0]["id"]),
        )
        assert settle(connection, kafka) == 1
    assert letters.statuses() == ["pending"]


def _replay(connection: psycopg.Connection, kafka: Kafka, numbers: list[int]) -> int:
    """Record a replay that the sink is past, and return the action's id."""
    ends = kafka.committed("connect-user-events", RETRY_TOPIC)
    action_id = begin_replay(connection, {}, "user-events", RETRY_TOPIC, ends)
    connection.execute(
        "UPDATE dead_letter_queue SET status = 'retrying', action_id = %s WHERE id = ANY(%s)", (action_id, numbers)
    )
    end_replay(connection, action_id, ends, {})
    return action_id


def _refuse(letters: Letters, letter: dict[str, Any]) -> None:
    """Write what Connect writes when the sink refuses the replay of a letter."""
    origin = Position(letter["source_topic"], letter["source_partition"], letter["source_offset"])
    context = {"topic": RETRY_TOPIC, "partition": "0", "offset": "0", "connector.name": "user-events"}
    headers: Any = [(f"__connect.errors.{name}", value.encode()) for name, value in context.items()]
    producer = Producer({"bootstrap.servers": letters.stack.kafka_bootstrap_servers})
    producer.produce("dlq.user-events", b"anything", letters.user, headers=[*headers, *replay_headers(origin, 1)])
    assert producer.flush(30) == 0
