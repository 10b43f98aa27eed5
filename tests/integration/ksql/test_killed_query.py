from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Protocol

from confluent_kafka import Message

from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.topics import Topics

ROOT = Path(__file__).parents[3]
PARTITIONS = 4
EVENTS = 60_000
USERS = 200
WAIT_SECONDS = 60.0


class HasKafka(Protocol):
    @property
    def kafka_bootstrap_servers(self) -> str: ...


def test_a_query_killed_in_the_middle_goes_on_without_losing_or_repeating_anything(stack: HasKafka) -> None:
    check_killed_query(stack.kafka_bootstrap_servers, "killed")


def check_killed_query(servers: str, name: str) -> None:
    clients = KafkaClients({"bootstrap.servers": servers})
    topics = Topics(clients)
    topics.create(f"{name}-clicks", PARTITIONS, 1, {})
    topics.create(f"{name}-totals", PARTITIONS, 1, {})
    produce_clicks(clients, f"{name}-clicks")
    command = [sys.executable, "-m", "tests.integration.ksql.run_query", servers, f"{name}-clicks", f"{name}-totals"]
    first = subprocess.Popen(command, cwd=ROOT)
    try:
        read = Reader(clients, f"{name}-totals")
        read.until(1)
        first.send_signal(signal.SIGKILL)
        first.wait()
        killed_after = read.until(1)
        assert killed_after < EVENTS
        first = subprocess.Popen(command, cwd=ROOT)
        read.until(EVENTS)
    finally:
        first.kill()
        first.wait()
    assert len(read.counts) == USERS
    for counts in read.counts.values():
        assert counts == list(range(1, EVENTS // USERS + 1))


def produce_clicks(clients: KafkaClients, topic: str) -> None:
    producer = clients.producer()
    for number in range(EVENTS):
        who = f"user-{number % USERS}"
        producer.produce(topic, json.dumps({"who": who, "amount": number}).encode(), who.encode())
    assert producer.flush(WAIT_SECONDS) == 0


class Reader:
    """Reads the query's committed results; ``counts`` are those of each user in order."""

    def __init__(self, clients: KafkaClients, topic: str) -> None:
        self._consumer = clients.consumer(f"{topic}-reader", auto_offset_reset="earliest")
        self._consumer.subscribe([topic])
        self._seen = 0
        self.counts: dict[bytes, list[int]] = defaultdict(list)

    def until(self, at_least: int) -> int:
        while self._seen < at_least:
            message = self._consumer.poll(WAIT_SECONDS)
            assert message is not None, f"only {self._seen} results within {WAIT_SECONDS} s"
            self._take(message)
        return self._seen

    def _take(self, message: Message) -> None:
        assert message.error() is None
        value = message.value()
        assert value is not None
        self.counts[message.key() or b""].append(json.loads(value)["N"])
        self._seen += 1
