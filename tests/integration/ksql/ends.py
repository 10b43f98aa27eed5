"""How far a topic goes, with and without what no transaction has committed yet."""

from __future__ import annotations

from typing import Any

from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

SECONDS = 60.0


class Ends:
    """The ends of the only partition of a topic."""

    def __init__(self, servers: str, topic: str) -> None:
        self._admin: Any = AdminClient({"bootstrap.servers": servers})
        self._partition = TopicPartition(topic, 0)

    def is_open(self) -> bool:
        """Whether there are records that no transaction has committed or aborted yet."""
        return self._end(IsolationLevel.READ_COMMITTED) < self._end(IsolationLevel.READ_UNCOMMITTED)

    def _end(self, level: IsolationLevel) -> int:
        found = self._admin.list_offsets({self._partition: OffsetSpec.latest()}, isolation_level=level)
        return int(found[self._partition].result(SECONDS).offset)
