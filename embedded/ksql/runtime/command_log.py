"""The command topic: every statement that changed something, in order, for ever.

One transaction a statement, as ksqlDB writes it: the commit marker takes an offset too, so that sequence
numbers go up by two. A second process with the same service id fences the first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from embedded.ksql.errors import ServerError
from embedded.ksql.runtime.clients import KafkaClients, cause_of
from embedded.ksql.runtime.topics import Topics

TIMEOUT_SECONDS = 30.0
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Command:
    """One statement as it was executed.

    ``statement`` is the canonical text (its columns are written out, whatever the registry says later),
    ``original`` what the client sent; ``offset`` is the command's sequence number, -1 until it is written.
    """

    command_id: str
    statement: str
    original: str
    properties: dict[str, Any] = field(default_factory=dict)
    query_id: str | None = None
    offset: int = -1


class CommandLog:
    """Append-only log of commands in one partition of one topic."""

    def __init__(self, clients: KafkaClients, topics: Topics, service_id: str) -> None:
        self.topic = f"_confluent-ksql-{service_id}_command_topic"
        self._clients = clients
        self._topics = topics
        self._producer = clients.producer(f"{service_id}command-log", linger_ms=0)
        self.last_offset = -1

    def open(self) -> None:
        """Create the topic where it is missing, and fence earlier writers."""
        if self._topics.partitions(self.topic) is None:
            config = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
            self._topics.create(self.topic, 1, 1, config)
        self._producer.init_transactions(TIMEOUT_SECONDS)

    def append(self, command: Command) -> int:
        """Write a command and return its offset. Raises ServerError if Kafka does not take it."""
        key = json.dumps(command.command_id).encode()
        text = f"Could not write the statement '{command.original}' into the command topic."
        delivered: list[Message] = []
        try:
            self._producer.begin_transaction()
            value = json.dumps(_document(command)).encode()
            keep = delivered.append
            self._producer.produce(
                self.topic, key=key, value=value, partition=0, on_delivery=lambda _, message: keep(message)
            )
            # Before the commit: a callback that ran inside a failing commit would find its exception set.
            self._producer.flush(TIMEOUT_SECONDS)
            failure = delivered[0].error() if delivered else KafkaError(KafkaError._TIMED_OUT)  # noqa: SLF001
            if failure is not None:
                raise KafkaException(failure)  # noqa: TRY301 - translated like every other below
            self._producer.commit_transaction(TIMEOUT_SECONDS)
        except KafkaException as error:
            self._abort()
            raise ServerError(f"{text}\nCaused by: {cause_of(error).str()}") from error
        self.last_offset = delivered[0].offset() or 0
        return self.last_offset

    def _abort(self) -> None:
        try:
            self._producer.abort_transaction(TIMEOUT_SECONDS)
        except KafkaException:
            return  # fenced, or the broker is away: it aborts the transaction itself when it times out

    def replay(self) -> Iterator[Command]:
        """Yield every command from the beginning to the end as it is now."""
        consumer = self._clients.consumer("command-log", enable_partition_eof=True)
        try:
            consumer.assign([TopicPartition(self.topic, 0, 0)])
            while True:
                message = consumer.poll(TIMEOUT_SECONDS)
                if message is None:
                    raise ServerError(f"Reading {self.topic} timed out; look at the broker.")
                error = message.error()
                if error is not None:
                    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's public name for it
                        return
                    raise ServerError(f"Reading {self.topic} failed: {error.str()}")
                self.last_offset = message.offset() or 0
                yield _command(message.key() or b"", message.value() or b"{}", self.last_offset)
        finally:
            consumer.close()


def _document(command: Command) -> dict[str, Any]:
    return {
        "statement": command.statement,
        "originalStatement": command.original,
        "streamsProperties": command.properties,
        "queryId": command.query_id,
        "version": FORMAT_VERSION,
    }


def _command(key: bytes, value: bytes, offset: int) -> Command:
    document = json.loads(value)
    return Command(
        command_id=json.loads(key),
        statement=document["statement"],
        original=document["originalStatement"],
        properties=document["streamsProperties"],
        query_id=document.get("queryId"),
        offset=offset,
    )
