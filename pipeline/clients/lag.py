"""What has not been consumed yet, counted in records."""

from __future__ import annotations

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.records import read_records

_MARKERS = 16  # below this many offsets, look whether they are records or only the markers of transactions


def sink_group(connector: str) -> str:
    """Return the consumer group of a sink connector, as Connect names it."""
    return f"connect-{connector}"


def lag_records(kafka: Kafka, group: str, topic: str, ends: Offsets | None = None) -> int:
    """Return how many records of the topic the group has yet to commit, up to ``ends`` (now, by default)."""
    ends = kafka.ends(topic) if ends is None else ends
    starts = kafka.starts(topic)
    committed = kafka.committed(group, topic)
    positions = {partition: max(committed.get(partition, 0), starts[partition]) for partition in ends}
    behind = sum(max(0, ends[partition] - positions[partition]) for partition in ends)
    if 0 < behind <= _MARKERS * len(ends):
        return sum(1 for _ in read_records(kafka.config, topic, positions, ends))
    return behind
