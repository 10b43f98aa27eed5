"""What no converter reads is lost to Connect where its dead letter is not written: the sink commits nothing before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipeline.waiting import wait_until
from tests.conftest import Stack
from tests.integration.dead_letter_sink.sink import DELEGATES, WAIT_SECONDS, Sink, row

ILLEGIBLE = b"no JSON at all: " + b"x" * 2_000
# How long a letter waits for a topic that is not there.
IMPATIENT = {"producer.override.max.block.ms": "3000"}


@pytest.fixture
def sink(stack: Stack) -> Iterator[Sink]:
    sink = Sink(stack, DELEGATES["copy"], settings=IMPATIENT)
    sink.create()
    sink.produce([row(1)])
    sink.await_ids({1})
    yield sink
    sink.delete()


def test_a_letter_that_kafka_refuses_fails_the_task_and_is_written_once_it_can_be(sink: Sink) -> None:
    sink.kafka.alter_topic_config(sink.dead_letter_topic, {"max.message.bytes": "500"})
    sink.produce_bytes(ILLEGIBLE)
    sink.produce([row(2)])

    assert "A dead letter cannot be written" in sink.await_failure()
    assert sink.committed() <= 1

    sink.kafka.alter_topic_config(sink.dead_letter_topic, {"max.message.bytes": "1000000"})
    sink.restart()
    (letter,) = sink.dead_letters(1)
    assert (letter["stage"], letter["offset"]) == ("VALUE_CONVERTER", "1")
    sink.await_ids({1, 2})


def test_a_letter_whose_topic_is_away_is_sent_again_and_nothing_is_committed_until_then(sink: Sink) -> None:
    sink.kafka.delete_topic(sink.dead_letter_topic)
    sink.produce_bytes(ILLEGIBLE)
    sink.produce([row(2)])
    sink.await_ids({1, 2})
    log = sink.stack.state_dir / "logs" / "connect.log"
    wait_until(
        lambda: "A dead letter cannot be written" in log.read_text(errors="replace"),
        awaiting="the letter to be given up",
        timeout_seconds=WAIT_SECONDS,
    )
    assert sink.committed() <= 1

    sink.kafka.create_topic(sink.dead_letter_topic, 1, 1, {})
    assert {letter["offset"] for letter in sink.dead_letters(1)} == {"1"}
    wait_until(lambda: sink.committed() == 3, awaiting="the commit", timeout_seconds=WAIT_SECONDS)
    assert [task["state"] for task in sink.status()["tasks"]] == ["RUNNING"]
