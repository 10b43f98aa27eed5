"""What has not been consumed yet, counted in records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.records import read_records
from pipeline.waiting import wait_until

_MARKERS = 16  # below this many offsets, look whether they are records or only the markers of transactions


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far a group is behind in one partition; ``records`` may be fewer than the offsets between the two."""

    committed: int
    end: int
    records: int


def lag_records(kafka: Kafka, group: str, topic: str, ends: Offsets | None = None) -> int:
    """Return how many records of the topic the group has yet to commit, up to ``ends`` (now, by default)."""
    return sum(lag.records for lag in lag_by_partition(kafka, group, topic, ends).values())


def await_read(
    kafka: Kafka,
    group: str,
    topic: str,
    *,
    awaiting: str,
    timeout_seconds: float,
    look: Callable[[], object] = lambda: None,
) -> None:
    """Wait until the group has committed what the topic holds now; ``look`` may raise where it never will.

    Raises NotReadyError.
    """
    ends = kafka.ends(topic)

    def is_through() -> bool:
        look()
        return lag_records(kafka, group, topic, ends) == 0

    wait_until(is_through, awaiting=awaiting, timeout_seconds=timeout_seconds)


def lag_by_partition(kafka: Kafka, group: str, topic: str, ends: Offsets | None = None) -> dict[int, PartitionLag]:
    """Return the same for each partition."""
    ends = kafka.ends(topic) if ends is None else ends
    starts = kafka.starts(topic)
    committed = kafka.committed(group, topic)
    positions = {partition: max(committed.get(partition, 0), starts[partition]) for partition in ends}
    behind = {partition: max(0, ends[partition] - positions[partition]) for partition in ends}
    if 0 < sum(behind.values()) <= _MARKERS * len(ends):
        records = read_records(kafka.config, topic, positions, ends)
        counts = Counter(message.partition() for message in records)
        behind = {partition: counts[partition] for partition in ends}
    return {partition: PartitionLag(positions[partition], ends[partition], behind[partition]) for partition in ends}
