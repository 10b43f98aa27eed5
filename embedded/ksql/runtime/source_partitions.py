"""The partitions that a query reads: those its topics have when it starts, and whether they are still the same."""

from __future__ import annotations

import time
from collections.abc import Iterable

from embedded.ksql.errors import ServerError, UnavailableError
from embedded.ksql.runtime.source_input import Partition
from embedded.ksql.runtime.topics import Topics

LOOK_SECONDS = 10.0


class SourcePartitions:
    """Every partition of a query's topics. Making it raises ServerError if one of them is missing."""

    def __init__(self, query_id: str, names: Iterable[str], topics: Topics) -> None:
        self._query_id, self._topics = query_id, topics
        self.counts: dict[str, int] = {}
        for name in sorted(names):
            count = topics.partitions(name)
            if count is None:
                raise ServerError(f"Topic '{name}' does not exist; query {query_id} waits for it.")
            self.counts[name] = count
        self._next_look = time.monotonic() + LOOK_SECONDS

    @property
    def most(self) -> int:
        """How many the largest topic has."""
        return max(self.counts.values(), default=1)

    def all(self) -> list[Partition]:
        """Return every topic and number."""
        return [(topic, number) for topic, count in self.counts.items() for number in range(count)]

    def look(self) -> None:
        """Look now and then whether there are others by now, unless Kafka is away. Raises ServerError if so."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        try:
            counts = {topic: self._topics.partitions(topic) or 0 for topic in self.counts}
        except UnavailableError:
            return
        for topic, count in counts.items():
            self.compare(topic, count)

    def compare(self, topic: str, count: int) -> None:
        """Raise ServerError if a topic has another number of partitions by now."""
        if count != self.counts[topic]:
            raise ServerError(
                f"Topic '{topic}' has {count} partitions where it had {self.counts[topic]}; "
                f"query {self._query_id} restarts to read them."
            )
