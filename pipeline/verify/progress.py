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


class Passage:
    """Whether what the topic of events held up to ``ends`` is in user_stats: asked stage by stage, while more comes."""

    def __init__(self, kafka: Kafka, ends: Offsets) -> None:
        self._kafka = kafka
        self._ends = ends
        self._passed = 0

    def is_through(self) -> bool | None:
        """Ask again; None where nothing tells, as ksqlDB's groups are not to be seen."""
        stages = _stages(self._kafka)
        if not {topic for _, topic in stages} <= self._kafka.partitions().keys() or not all(g for g, _ in stages):
            return None
        for number, (groups, topic) in enumerate(stages[self._passed :], self._passed):
            # What a stage has read, it has written: where the next topic ends now is as far as to look there.
            if number > self._passed:
                self._ends, self._passed = self._kafka.ends(topic), number
            if any(_is_behind(self._kafka, group, topic, self._ends) for group in groups):
                return False
        return True


def _is_behind(kafka: Kafka, group: str, topic: str, ends: Offsets) -> bool:
    """Whether a group has yet to read up to ``ends``, or what ksqlDB then puts in order by another key."""
    if lag_records(kafka, group, topic, ends):
        return True
    between = [name for name in kafka.group_topics(group) if name.endswith("-repartition")]
    return any(lag_records(kafka, group, name) for name in between)


def _stages(kafka: Kafka) -> list[tuple[list[str], str]]:
    """Return who reads which topic, in the order of the flow."""
    queries = [(_groups(kafka, table), topic) for table, topic in _QUERIES]
    return [*queries, ([sink_group(STATS_SINK)], STATS)]


def _groups(kafka: Kafka, table: str) -> list[str]:
    pattern = re.compile(_GROUP.format(table=table))
    return sorted(group for group in kafka.groups() if pattern.fullmatch(group))


def await_statistics(kafka: Kafka, *, timeout_seconds: float) -> None:
    """Wait until the events of now are in user_stats, as far as ksqlDB's groups can be seen. Raises NotReadyError."""
    deadline = time.monotonic() + timeout_seconds
    there = kafka.partitions()
    for group, topic in ((group, topic) for groups, topic in _stages(kafka) for group in groups):
        if topic in there:
            awaiting = f"group {group} to read what {topic} holds"
            left = max(1.0, deadline - time.monotonic())
            await_read(kafka, group, topic, awaiting=awaiting, timeout_seconds=left)
