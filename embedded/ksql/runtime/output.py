"""What a query writes: rows, changes of state, skipped records and input offsets, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaException, Producer, TopicPartition

from embedded.ksql.runtime.encoding import Record
from embedded.ksql.runtime.hanging import returning_within

TRANSACTION_SECONDS = 25.0
FULL_QUEUE_SECONDS = 0.5
CHANGES_AT_ONCE = 10_000

Changes = Mapping[str, Sequence[tuple[bytes, bytes | None]]]


class Output:
    """The transactional producer of one query. Making it open fences whoever had the id before."""

    def __init__(self, producer: Producer, log_topic: str) -> None:
        self._producer: Any = producer  # the stubs lag behind: no produce_batch, no close
        self._log_topic = log_topic

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
        """Write everything or nothing. ``offsets`` are the input positions and the consumer group's metadata."""
        self._producer.begin_transaction()
        try:
            if topic is not None:
                self._produce(topic, records)
            for changelog, changed in changes.items():
                self._produce_changes(changelog, changed)
            self._produce(self._log_topic, [Record(entry, None, -1, 0) for entry in log_entries])
            positions, group = offsets
            with returning_within(TRANSACTION_SECONDS, "send_offsets_to_transaction"):
                self._producer.send_offsets_to_transaction(positions, group, TRANSACTION_SECONDS)
            with returning_within(TRANSACTION_SECONDS, "commit_transaction"):
                self._producer.commit_transaction(TRANSACTION_SECONDS)
        except BaseException:
            self._abort()
            raise

    def close(self) -> None:
        """Close the producer."""
        self._producer.close()

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
            batch = [{"key": key, "value": value} for key, value in changed[start : start + CHANGES_AT_ONCE]]
            while batch:
                self._producer.produce_batch(topic, batch)
                batch = [message for message in batch if message.pop("_error", None) is not None]
                if batch:
                    self._producer.poll(FULL_QUEUE_SECONDS)

    def _abort(self) -> None:
        try:
            with returning_within(TRANSACTION_SECONDS, "abort_transaction"):
                self._producer.abort_transaction(TRANSACTION_SECONDS)
        except KafkaException:
            return  # fenced, or the broker is away: it aborts the transaction itself when it times out
