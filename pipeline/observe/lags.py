"""How far consumers are behind: how many records wait, and how long the oldest of them has."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from pipeline.clients.kafka import Kafka
from pipeline.clients.lag import PartitionLag, lag_by_partition
from pipeline.clients.records import read_records

_MILLISECONDS = 1_000
_MOST_READ = 50_000  # records; where one partition holds only markers, the others are not read to their end for it


@dataclass(frozen=True, slots=True)
class TopicLag:
    """Records of a topic that a consumer group has yet to commit, and the age of the oldest in seconds.

    The age is told by the record's timestamp, which in topics that ksqlDB writes is the event's own time.
    """

    topic: str
    lag_records: int
    lag_seconds: float


def topic_lag(kafka: Kafka, group: str, topic: str) -> TopicLag:
    """Measure one group in one topic. Raises ServerError."""
    lags = lag_by_partition(kafka, group, topic)
    records = sum(lag.records for lag in lags.values())
    return TopicLag(topic, records, _oldest_seconds(kafka, topic, lags) if records else 0.0)


def _oldest_seconds(kafka: Kafka, topic: str, lags: Mapping[int, PartitionLag]) -> float:
    behind = {partition: lag for partition, lag in lags.items() if lag.records}
    positions = {partition: lag.committed for partition, lag in behind.items()}
    ends = {partition: lag.end for partition, lag in behind.items()}
    first: dict[int | None, int] = {}
    for message in islice(read_records(kafka.config, topic, positions, ends), _MOST_READ):
        first.setdefault(message.partition(), message.timestamp()[1])
        if len(first) == len(behind):
            break
    return max(0.0, time.time() - min(first.values()) / _MILLISECONDS) if first else 0.0
