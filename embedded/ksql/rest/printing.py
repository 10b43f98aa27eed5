"""PRINT: the records of a topic as text, whatever their formats are."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from embedded.ksql.errors import KsqlError
from embedded.ksql.functions.java_text import timestamp_text
from embedded.ksql.language import ast
from embedded.ksql.rest.record_formats import RecordFormatter
from embedded.ksql.runtime.session import Cluster

BATCH = 500
WAIT_SECONDS = 0.1
# A line now and then, so that a client that is gone is noticed.
HEARTBEAT_SECONDS = 1.0


def start_printing(statement: ast.PrintTopic, cluster: Cluster) -> Printer:
    """Start to read a topic from its beginning, or from its end as it is now. Raises KsqlError if there is none."""
    if cluster.topics.partitions(statement.topic) is None:
        raise KsqlError(
            f"Could not find topic '{statement.topic}', or the KSQL user does not have permissions to list the topic. "
            "Topic names are case-sensitive."
        )
    consumer = cluster.clients.consumer("print", auto_offset_reset="earliest")
    positions = [
        TopicPartition(statement.topic, number, first if statement.from_beginning else end)
        for number, (first, end) in enumerate(cluster.topics.offsets(statement.topic))
    ]
    consumer.assign(positions)
    return Printer(
        consumer, statement, RecordFormatter("Key", cluster.registry), RecordFormatter("Value", cluster.registry)
    )


class Printer:
    """Reads a topic and gives its records as lines."""

    def __init__(
        self, consumer: Consumer, statement: ast.PrintTopic, keys: RecordFormatter, values: RecordFormatter
    ) -> None:
        self._consumer, self._statement = consumer, statement
        self._keys, self._values = keys, values
        self._seen, self._printed = 0, 0
        self._last_line = time.monotonic()

    def take(self) -> str | None:
        """Return the next lines; None when as many were printed as the statement asks for."""
        if self._printed == self._statement.limit:
            return None
        messages = self._consumer.consume(BATCH, WAIT_SECONDS)
        lines = "".join([self._lines(message) for message in messages])
        now = time.monotonic()
        if not lines and now - self._last_line > HEARTBEAT_SECONDS:
            lines = "\n"
        if lines:
            self._last_line = now
        return lines

    def end(self) -> str:
        """Return what comes after the last record: nothing."""
        return ""

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def _lines(self, message: Message) -> str:
        error = message.error()
        if error is not None:
            raise KafkaException(error)
        self._seen += 1
        if (self._seen - 1) % self._statement.interval or self._printed == self._statement.limit:
            return ""
        self._printed += 1
        key, value = _bytes(message.key()), _bytes(message.value())
        formats = self._keys.observe(key) + self._values.observe(value)
        rowtime = timestamp_text(message.timestamp()[1]).replace("-", "/").replace("T", " ")
        return (
            f"{formats}rowtime: {rowtime} Z, key: {self._keys.text(key)}, value: {self._values.text(value)}, "
            f"partition: {message.partition()}\n"
        )


def _bytes(data: str | bytes | None) -> bytes | None:
    return data.encode() if isinstance(data, str) else data
