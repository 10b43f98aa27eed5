"""The command topic: every statement that changed something, in order, for ever.

One transaction a statement, as ksqlDB writes it: the commit marker takes an offset too, so that sequence
numbers go up by two. A second process with the same service id fences the first.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import structlog
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from embedded.ksql.errors import ServerError, UndecidedError
from embedded.ksql.runtime.clients import FENCED, KafkaClients, cause_of
from embedded.ksql.runtime.topics import Topics

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 30.0
SETTLE_SECONDS = 1.0
FORMAT_VERSION = 1

T = TypeVar("T")


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
        self._id = f"{service_id}command-log"
        self._producer = clients.producer(self._id, linger_ms=0)
        self._began = 0.0
        self._is_fenced = False
        self.last_offset = -1
        self._undecided: tuple[Command, Callable[[int], object]] | None = None

    def open(self) -> None:
        """Create the topic where it is missing, and fence earlier writers."""
        if self._topics.partitions(self.topic) is None:
            config = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
            self._topics.create(self.topic, 1, 1, config)
        self._producer.init_transactions(TIMEOUT_SECONDS)

    def append(self, command: Command, finish: Callable[[int], T]) -> T:
        """Write a command, then ``finish`` what it asks for, given its offset; return what that does.

        Raises ServerError if Kafka does not take it, UndecidedError if it does not say so: then ``settle`` does the
        rest, and is to be called before anything else is written.
        """
        try:
            offset = self._produce(command)
        except KafkaException as error:
            raise self._refused(command, error) from error
        command = replace(command, offset=offset)
        try:
            self._commit(command, TIMEOUT_SECONDS)
        except UndecidedError:
            self._undecided = command, finish
            raise
        return finish(command.offset)

    def _produce(self, command: Command) -> int:
        """Begin a transaction with a command; return its offset."""
        if self._is_fenced:
            self._reopen()
        try:
            return self._produce_once(command)
        except KafkaException as error:
            # Kafka forgets a transactional id that was silent for a week; librdkafka learns it now, and renews it.
            if cause_of(error).code() != KafkaError._PURGE_QUEUE:  # noqa: SLF001 - librdkafka's public name for it
                raise
            self._producer.abort_transaction(TIMEOUT_SECONDS)
            return self._produce_once(command)

    def _produce_once(self, command: Command) -> int:
        delivered: list[Message] = []
        self._began = time.time()
        self._producer.begin_transaction()
        key, value = json.dumps(command.command_id).encode(), json.dumps(_document(command)).encode()
        keep = delivered.append
        self._producer.produce(
            self.topic, key=key, value=value, partition=0, on_delivery=lambda _, message: keep(message)
        )
        # Before the commit: a callback that ran inside a failing commit would find its exception set.
        self._producer.flush(TIMEOUT_SECONDS)
        failure = delivered[0].error() if delivered else KafkaError(KafkaError._TIMED_OUT)  # noqa: SLF001
        if failure is not None:
            raise KafkaException(failure)
        return delivered[0].offset() or 0

    def settle(self) -> None:
        """Ask about a command of which Kafka has not said whether it takes it, and finish it if it does.

        Raises UndecidedError if Kafka still does not say.
        """
        if self._undecided is None:
            return
        command, finish = self._undecided
        try:
            self._commit(command, SETTLE_SECONDS)
        except UndecidedError:
            raise
        except ServerError as error:
            self._undecided = None
            log.warning("command.refused_late", command=command.command_id, error=error.message)
        else:
            self._undecided = None
            log.warning("command.taken_late", command=command.command_id, offset=command.offset)
            finish(command.offset)

    def _commit(self, command: Command, seconds: float) -> None:
        try:
            self._producer.commit_transaction(seconds)
        except KafkaException as error:
            if cause_of(error).retriable():
                raise UndecidedError(
                    f"Kafka has not said yet whether it takes the statement '{command.original}' into the command "
                    "topic. It is executed if it does, before any other one: look what there is before you repeat it."
                    f"\nCaused by: {cause_of(error).str()}"
                ) from error
            raise self._refused(command, error) from error
        self.last_offset = command.offset

    def _refused(self, command: Command, error: KafkaException) -> ServerError:
        """Make sure that a command is not taken later, and return what is to be raised."""
        # Kafka ended the transaction because it took too long; any sooner, another process has the transactional id.
        too_long = time.time() - self._began >= self._clients.transaction_seconds
        self._is_fenced = cause_of(error).code() in FENCED and too_long
        with suppress(KafkaException):  # fenced, or the broker is away: it aborts the transaction when it times out
            self._producer.abort_transaction(TIMEOUT_SECONDS)
        text = f"Could not write the statement '{command.original}' into the command topic."
        return ServerError(f"{text}\nCaused by: {cause_of(error).str()}")

    def _reopen(self) -> None:
        self._producer = self._clients.producer(self._id, linger_ms=0)
        self._producer.init_transactions(TIMEOUT_SECONDS)
        self._is_fenced = False

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
