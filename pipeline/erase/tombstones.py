"""Tombstones: a null value for a key makes a compacted topic forget it, and the sink delete its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from pipeline.clients.positions import Position
from pipeline.errors import RejectedError

_FLUSH_SECONDS = 30.0
_SETTINGS = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",  # as Java's: the tombstone meets the key's records in their partition
    "message.timeout.ms": 20_000,
    "log_level": 0,
}


def send_tombstones(kafka_config: Mapping[str, Any], topics: Sequence[str], keys: Sequence[str]) -> list[Position]:
    """Write one tombstone a key to each topic and return where they are. Raises RejectedError."""
    written: list[Position] = []
    refused: list[str] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is None:
            written.append(Position(message.topic() or "", message.partition() or 0, message.offset() or 0))
        else:
            refused.append(f"{message.topic()}: {error.str()}")

    producer = Producer({**kafka_config, **_SETTINGS})
    for topic in topics:
        for key in keys:
            producer.produce(topic, key=key.encode(), value=None, on_delivery=delivered)
            producer.poll(0)
    if producer.flush(_FLUSH_SECONDS) or refused:
        message = f"Kafka did not take the tombstones ({'; '.join(refused) or 'no answer'}): nothing was erased yet"
        raise RejectedError(message)
    return sorted(written)
