"""The changelog topics of a query's stores: creating, restoring from and naming them."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from embedded.ksql.operators.interface import Store
from embedded.ksql.runtime.clients import LARGEST_RECORD_BYTES, KafkaClients
from embedded.ksql.runtime.naming import changelog_topic
from embedded.ksql.runtime.topics import Topics

BATCH = 10_000
POLL_SECONDS = 30.0
GATHER_SECONDS = 0.005

# Only compacted, never deleted by time: state that belongs to back-dated events must not vanish. Stores drop
# expired windows themselves and write tombstones. LogAppendTime keeps the broker from looking at event time.
CONFIG = {
    "cleanup.policy": "compact",
    "message.timestamp.type": "LogAppendTime",
    "segment.bytes": "52428800",
    "max.message.bytes": str(LARGEST_RECORD_BYTES),
    "min.cleanable.dirty.ratio": "0.3",
}
# A window's keys are new ones: compaction finds little to drop, and copies the whole log each time.
WINDOWED_CONFIG = {**CONFIG, "min.cleanable.dirty.ratio": "0.8"}


def create_changelogs(topics: Topics, service_id: str, query_id: str, stores: Sequence[Store], partitions: int) -> None:
    """Create the changelog topics that are missing."""
    for store in stores:
        name = changelog_topic(service_id, query_id, store.name)
        if topics.partitions(name) is None:
            topics.create(name, partitions, 1, CONFIG if store.retention_ms is None else WINDOWED_CONFIG)


def restore(clients: KafkaClients, topic: str, partitions: int, store: Store) -> int:
    """Put a changelog's committed records back into its store, from the beginning to the end; return how many."""
    consumer = clients.consumer("restore", enable_partition_eof=True)
    unfinished = set(range(partitions))
    restored = 0
    try:
        consumer.assign([TopicPartition(topic, partition, 0) for partition in unfinished])
        put = store.restore
        while unfinished:
            first = consumer.poll(POLL_SECONDS)
            if first is None:
                continue
            # Only for what is there already: consume waits for a full batch as long as it may.
            messages = [first, *consumer.consume(BATCH, GATHER_SECONDS)]
            for message in messages:
                error = message.error()
                if error is None:
                    put(message.key() or b"", message.value())
                    restored += 1
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's public name for it
                    unfinished.discard(message.partition() or 0)
                else:
                    raise KafkaException(error)
    finally:
        consumer.close()
    return restored
