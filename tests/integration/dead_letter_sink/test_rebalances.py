"""What becomes of records that wait for an ill database when their partition is taken away and comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from confluent_kafka import Consumer

from pipeline.waiting import wait_until
from tests.conftest import Stack
from tests.integration.dead_letter_sink.sink import DELEGATES, WAIT_SECONDS, Sink, row

LONGEST_BACKOFF_SECONDS = 5.0
NOT_NOW = """
CREATE FUNCTION {0}() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the database starts up' USING ERRCODE = '57P03'; END $$;
CREATE TRIGGER not_now BEFORE INSERT ON {0} FOR EACH ROW EXECUTE FUNCTION {0}()
"""


@pytest.fixture
def rejoining(stack: Stack) -> Iterator[Sink]:
    """A sink whose consumer notices soon that another member of its group comes or goes."""
    sink = Sink(stack, DELEGATES["copy"], settings={"consumer.override.heartbeat.interval.ms": "100"})
    sink.create()
    yield sink
    sink.delete()


def test_records_that_waited_when_their_partition_was_taken_away_are_not_committed_before_they_are_written(
    rejoining: Sink,
) -> None:
    rejoining.execute(NOT_NOW)
    rejoining.produce([row(1), row(2)])
    wait_until(lambda: rejoining.metrics()["retried"] > 0, awaiting="an attempt", timeout_seconds=WAIT_SECONDS)
    httpx.put(f"{rejoining.url}/pause", timeout=30).raise_for_status()
    wait_until(
        lambda: rejoining.status()["tasks"][0]["state"] == "PAUSED",
        awaiting="the task to pause",
        timeout_seconds=WAIT_SECONDS,
    )

    # Paused, Connect reads nothing: a batch without records succeeds, and Connect takes what waited for written.
    until = time.monotonic() + 2 * LONGEST_BACKOFF_SECONDS
    while time.monotonic() < until:
        rebalance(rejoining)
    rejoining.execute("DROP TRIGGER not_now ON {}")
    httpx.put(f"{rejoining.url}/resume", timeout=30).raise_for_status()

    rejoining.await_ids({1, 2})
    assert rejoining.dead_letters(0) == []


def rebalance(sink: Sink) -> None:
    """Join the sink's consumer group for another topic, and leave it: the sink loses its partition and gets it back."""
    member = Consumer(
        {
            "bootstrap.servers": sink.stack.kafka_bootstrap_servers,
            "group.id": f"connect-{sink.name}",
            "partition.assignment.strategy": "range",
            "enable.auto.commit": False,
        }
    )
    member.subscribe([sink.dead_letter_topic])
    deadline = time.monotonic() + WAIT_SECONDS
    while not member.assignment():
        assert time.monotonic() < deadline, "the group did not take another member in"
        member.poll(0.1)
    member.close()
