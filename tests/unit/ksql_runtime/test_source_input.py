"""What a join reads: the order of rows, and when bad records are passed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import TopicPartition

from embedded.ksql.cases.cluster import Message, Registry
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.operators.build import build_topology
from embedded.ksql.runtime.source_input import SourceInput
from tests.unit.ksql_operators.replay import Replay

TWO_TOPICS = """
CREATE STREAM l (k STRING KEY, v INT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');
CREATE STREAM r (k STRING KEY, p INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON');
CREATE STREAM t AS SELECT l.k AS k, v, p FROM l JOIN r WITHIN 1 SECOND ON l.k = r.k;
"""
ONE_TOPIC_TWICE = """
CREATE STREAM l (k STRING KEY, v INT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');
CREATE STREAM r (k STRING KEY, v BOOLEAN) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');
CREATE STREAM t AS SELECT l.k AS k, l.v AS v, r.v AS p FROM l JOIN r WITHIN 1 SECOND ON l.k = r.k;
"""


class Read(Message):
    """A message that is no error."""

    def error(self) -> None:
        return None


@dataclass
class Broker:
    """A consumer that is given records in an order of the test's choice."""

    waiting: list[Read] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)

    def send(self, topic: str, offset: int, value: object, time: int) -> None:
        self.waiting.append(Read(topic, b"k", json.dumps(value).encode(), time, offset))

    def assign(self, _: object) -> None:
        pass

    def poll(self, _: float) -> Read | None:
        return self._take(self.waiting.pop(0)) if self.waiting else None

    def consume(self, *_: object) -> list[Read]:
        taken, self.waiting = self.waiting, []
        return [self._take(one) for one in taken]

    def position(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(one.topic, one.partition, self.reached.get(one.topic, 0)) for one in partitions]

    def _take(self, message: Read) -> Read:
        self.reached[message.topic()] = message.offset() + 1
        return message


def reading(statements: str) -> tuple[Broker, SourceInput]:
    replay = Replay()
    replay.run(statements)
    topology = build_topology(replay.queries[0].plan, LIBRARY)
    broker: Any = Broker()
    source_input = SourceInput(broker, topology, Registry())
    source_input.assign({(source.topic, 0): 0 for source in topology.sources})
    return broker, source_input


def taken(source_input: SourceInput) -> tuple[list[int], list[tuple[str, int]], dict[str, int]]:
    """Return the times of the next rows, the places of bad records, and what would be committed with them."""
    gathered = source_input.gather(100, 0)
    times = [row.timestamp for _, rows in gathered.runs for row in rows]
    bad = [(one.topic, one.offset) for one in gathered.bad]
    return times, bad, {one.topic: one.offset for one in source_input.positions()}


def test_a_bad_record_behind_a_row_that_waits_is_passed_with_it_and_not_before() -> None:
    broker, source_input = reading(TWO_TOPICS)
    broker.send("l", 0, {"v": 1}, 500)
    broker.send("l", 1, "bad", 600)
    assert taken(source_input) == ([], [], {"l": 0, "r": 0})
    broker.send("r", 0, {"p": 1}, 700)
    assert taken(source_input) == ([500], [("l", 1)], {"l": 2, "r": 0})


def test_a_bad_record_before_a_row_that_waits_is_passed_at_once() -> None:
    broker, source_input = reading(TWO_TOPICS)
    broker.send("l", 0, "bad", 500)
    broker.send("l", 1, {"v": 1}, 600)
    assert taken(source_input) == ([], [("l", 0)], {"l": 1, "r": 0})


def test_of_a_topic_that_is_read_twice_what_either_source_refuses_is_told_once() -> None:
    broker, source_input = reading(ONE_TOPIC_TWICE)
    broker.send("l", 0, {"v": 1}, 500)
    broker.send("l", 1, {"v": True}, 600)
    broker.send("l", 2, "bad", 700)
    assert taken(source_input) == ([500, 600], [("l", 0), ("l", 1), ("l", 2)], {"l": 3})
