"""Reading a topic from one set of offsets to another, as a snapshot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from pipeline.clients.kafka_errors import KafkaErrors
from pipeline.errors import UnreachableError

_BATCH = 10_000
_GATHER_SECONDS = 0.1  # librdkafka fills a batch for this long, even when the last record is already in it
_SILENCE_SECONDS = 30.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1)


def sent_at(message: Message) -> datetime:
    """Return the time of a record, as near as Python can: a client may have given any number for it."""
    return _EPOCH + timedelta(milliseconds=min(max(0, message.timestamp()[1]), _LAST_MS))


def read_records(
    kafka_config: dict[str, Any], topic: str, starts: dict[int, int], ends: dict[int, int]
) -> Iterator[Message]:
    """Yield the committed records of every partition from its start up to, not including, its end.

    Raises UnreachableError if Kafka stops answering before all ends are reached, RejectedError if it refuses.
    """
    open_partitions = {partition for partition, end in ends.items() if end > starts.get(partition, 0)}
    if not open_partitions:
        return
    told = KafkaErrors(kafka_config)
    consumer = Consumer(
        {
            **kafka_config,
            "group.id": "pipeline-reader",  # never used: it only satisfies librdkafka
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",  # where retention was faster than the reader, nothing is passed over unsaid
            "log_level": 0,
        }
    )
    try:
        consumer.assign([TopicPartition(topic, partition, starts[partition]) for partition in sorted(open_partitions)])
        heard = time.monotonic()
        while open_partitions:
            batch = consumer.consume(_BATCH, timeout=_GATHER_SECONDS)
            if batch:
                heard = time.monotonic()
            elif time.monotonic() - heard > _SILENCE_SECONDS:
                message = f"Kafka sent nothing of topic {topic} for {_SILENCE_SECONDS:g} s"
                raise UnreachableError(message)
            with told.during(f"read topic {topic}", lambda: None):
                yield from _within(batch, ends, open_partitions)
    finally:
        consumer.close()


def _within(batch: list[Message], ends: dict[int, int], open_partitions: set[int]) -> Iterator[Message]:
    for message in batch:
        partition, offset = message.partition(), message.offset()
        error = message.error()
        if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            continue  # nobody needs the group
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its only public name
            raise KafkaException(error)
        if partition is None or offset is None:
            continue
        if error is None and offset < ends[partition]:
            yield message
        if offset >= ends[partition] - 1:
            open_partitions.discard(partition)
