"""What a query writes: rows, changes of state, skipped records and input offsets, in one transaction."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition

from embedded.ksql.errors import RecordTooLargeError, TransactionTimedOutError
from embedded.ksql.runtime.clients import FENCED, LARGEST_RECORD_BYTES, cause_of
from embedded.ksql.runtime.encoding import Record
from embedded.ksql.runtime.hanging import returning_within

TRANSACTION_SECONDS = 25.0
FULL_QUEUE_SECONDS = 0.5
CHANGES_AT_ONCE = 10_000

Changes = Mapping[str, Sequence[tuple[bytes, bytes | None]]]
Produced = Sequence[tuple[str, Sequence[Record]]]


class Output:
    """The transactional producer of one query. Making it open fences whoever had the id before.

    ``longest_seconds`` is how long a transaction may take.
    """

    def __init__(self, producer: Producer, log_topic: str, longest_seconds: float) -> None:
        self._producer: Any = producer  # the stubs lag behind: no produce_batch, no close
        self._log_topic = log_topic
        self._longest_seconds = longest_seconds

    def open(self) -> None:
        """Register the transactional id: an earlier run's open transaction is aborted, its producer fenced."""
        self._producer.init_transactions(TRANSACTION_SECONDS)

    def write(
        self,
        topic: str | None,
        records: Sequence[Record],
        changes: Changes,
        log_entries: Sequence[bytes],
        offsets: tuple[list[TopicPartition], object],
    ) -> None:
        """Write everything or nothing. Raises KafkaException, RecordTooLargeError, TransactionTimedOutError.

        ``offsets`` are the input positions and the consumer group's metadata.
        """
        produced: Produced = [(self._log_topic, [Record(entry, None, -1, 0) for entry in log_entries])]
        if topic is not None:
            produced = [(topic, records), *produced]
        began = time.time()  # the clock of the wall, which goes on while the machine is suspended
        self._producer.begin_transaction()
        try:
            self._produce_all(produced, changes)
            positions, group = offsets
            with returning_within(TRANSACTION_SECONDS, "send_offsets_to_transaction"):
                self._producer.send_offsets_to_transaction(positions, group, TRANSACTION_SECONDS)
            with returning_within(TRANSACTION_SECONDS, "commit_transaction"):
                self._producer.commit_transaction(TRANSACTION_SECONDS)
        except BaseException as error:
            self._abort()
            code = cause_of(error).code() if isinstance(error, KafkaException) else None
            if code == KafkaError.MSG_SIZE_TOO_LARGE:
                raise _too_large(produced, changes) from error
            if code in FENCED and time.time() - began >= self._longest_seconds:
                raise TransactionTimedOutError(
                    f"Kafka has ended a transaction that took longer than {self._longest_seconds:g} s: "
                    "was this process, its machine or Kafka suspended?"
                ) from error
            raise

    def close(self) -> None:
        """Close the producer; one that was fenced says so once more, which is known."""
        with suppress(KafkaException):
            self._producer.close()

    def _produce_all(self, produced: Produced, changes: Changes) -> None:
        try:
            for topic, records in produced:
                self._produce(topic, records)
            for changelog, changed in changes.items():
                self._produce_changes(changelog, changed)
        except KafkaException as error:
            # Kafka has refused a record before this one. What comes next in the transaction fails with the reason.
            if cause_of(error).code() != KafkaError._STATE:  # noqa: SLF001 - librdkafka's public name for it
                raise

    def _produce(self, topic: str, records: Sequence[Record]) -> None:
        produce = self._producer.produce
        for value, key, partition, timestamp in records:
            while True:
                try:
                    produce(topic, value, key, partition, timestamp=timestamp)
                    break
                except BufferError:
                    self._producer.poll(FULL_QUEUE_SECONDS)

    def _produce_changes(self, topic: str, changed: Sequence[tuple[bytes, bytes | None]]) -> None:
        for start in range(0, len(changed), CHANGES_AT_ONCE):
            batch: list[dict[str, Any]] = [
                {"key": key, "value": value} for key, value in changed[start : start + CHANGES_AT_ONCE]
            ]
            while batch:
                self._producer.produce_batch(topic, batch)
                batch = [message for message in batch if message.get("_error") is not None]
                for message in batch:
                    error = message.pop("_error")
                    if error.code() != KafkaError._QUEUE_FULL:  # noqa: SLF001 - librdkafka's public name for it
                        raise KafkaException(error)
                if batch:
                    self._producer.poll(FULL_QUEUE_SECONDS)

    def _abort(self) -> None:
        try:
            with returning_within(TRANSACTION_SECONDS, "abort_transaction"):
                self._producer.abort_transaction(TRANSACTION_SECONDS)
        except KafkaException:
            return  # fenced, or the broker is away: it aborts the transaction itself when it times out


def _too_large(produced: Produced, changes: Changes) -> RecordTooLargeError:
    sizes = [(_size(record.key, record.value), topic) for topic, records in produced for record in records]
    sizes += [(_size(*change), changelog) for changelog, changed in changes.items() for change in changed]
    size, topic = max(sizes)
    return RecordTooLargeError(
        f"Kafka refuses a record as too large. The largest of its transaction has {size:,} bytes and is for topic "
        f"{topic}: raise the topic's max.message.bytes (up to {LARGEST_RECORD_BYTES:,} work) and restart ksql, or "
        "replace the query by one that keeps less in a row."
    )


def _size(key: bytes | None, value: bytes | None) -> int:
    return len(key or b"") + len(value or b"")
