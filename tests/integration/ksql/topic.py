"""Topics of a test: writing JSON and reading what was committed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import Message

from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.topics import Topics

WAIT_SECONDS = 60.0


def create_topic(clients: KafkaClients, topic: str, partitions: int = 4) -> None:
    """Create a topic."""
    Topics(clients).create(topic, partitions, 1, {})


def write(clients: KafkaClients, topic: str, records: Iterable[tuple[str, Mapping[str, Any] | bytes]]) -> None:
    """Produce records of a key and a value, all of which are acknowledged."""
    producer = clients.producer()
    for key, value in records:
        producer.produce(topic, value if isinstance(value, bytes) else json.dumps(value).encode(), key.encode())
        producer.poll(0)
    assert producer.flush(WAIT_SECONDS) == 0


class Reader:
    """Reads a topic's committed records from the beginning."""

    def __init__(self, clients: KafkaClients, topic: str) -> None:
        self._consumer = clients.consumer(f"{topic}-reader", auto_offset_reset="earliest")
        self._consumer.subscribe([topic])
        self.messages: list[Message] = []

    def until(self, at_least: int) -> list[Message]:
        """Read until there are so many records, and return all."""
        while len(self.messages) < at_least:
            message = self._consumer.poll(WAIT_SECONDS)
            assert message is not None, f"only {len(self.messages)} of {at_least} records within {WAIT_SECONDS} s"
            assert message.error() is None, message.error()
            self.messages.append(message)
        return self.messages

    def rest(self) -> list[Message]:
        """Read what there is beyond, until the topic is silent for a second, and return all."""
        while (message := self._consumer.poll(1.0)) is not None:
            assert message.error() is None, message.error()
            self.messages.append(message)
        return self.messages

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
