"""How far ksqlDB and the sink of the statistics are."""

from __future__ import annotations

import re
import time

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.lag import await_read, lag_records
from pipeline.declared.connectors import sink_group
from pipeline.verify.topics import EVENTS, FIRST_EVENTS, STATS, STATS_SINK

# ksqlDB names the group of a persistent query so: prefix, service id, "query_", query id.
_GROUP = r"_confluent-ksql-.*query_CTAS_{table}_\d+"
_QUERIES = (("FIRST_EVENTS", EVENTS), ("USER_STATS", FIRST_EVENTS))


def query_positions(kafka: Kafka, table: str, topic: str) -> Offsets | None:
    """Return how far the queries that fill a table have read a topic: the slowest; None if no group is theirs."""
    positions = [kafka.committed(group, topic) for group in _groups(kafka, table)]
    if not positions:
        return None
    return {partition: min(each.get(partition, 0) for each in positions) for partition in positions[0]}


def statistics_are_through(kafka: Kafka) -> bool | None:
    """Whether each event of now is in user_stats; None where nothing tells, as ksqlDB's groups are not to be seen."""
    there = kafka.partitions()
    if not {EVENTS, FIRST_EVENTS, STATS} <= there.keys():
        return None
    stages = [(group, topic) for table, topic in _QUERIES for group in _groups(kafka, table)]
    if {topic for _, topic in stages} != {EVENTS, FIRST_EVENTS}:
        return None
    # In the order of the flow: what is through the first stage is at the end of the next one's topic.
    return all(lag_records(kafka, group, topic) == 0 for group, topic in (*stages, (sink_group(STATS_SINK), STATS)))


def _groups(kafka: Kafka, table: str) -> list[str]:
    pattern = re.compile(_GROUP.format(table=table))
    return sorted(group for group in kafka.groups() if pattern.fullmatch(group))


def await_statistics(kafka: Kafka, *, timeout_seconds: float) -> None:
    """Wait until the events of now are in user_stats, as far as ksqlDB's groups can be seen. Raises NotReadyError."""
    deadline = time.monotonic() + timeout_seconds
    there = kafka.partitions()
    stages = [(group, topic) for table, topic in _QUERIES for group in _groups(kafka, table)]
    for group, topic in (*stages, (sink_group(STATS_SINK), STATS)):
        if topic in there:
            awaiting = f"group {group} to read what {topic} holds"
            left = max(1.0, deadline - time.monotonic())
            await_read(kafka, group, topic, awaiting=awaiting, timeout_seconds=left)
