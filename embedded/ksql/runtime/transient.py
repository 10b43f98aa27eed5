"""Queries that answer one client: push queries, and pull queries over a stream, which end where the topic ends."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import Event

from confluent_kafka import OFFSET_INVALID

from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language.rewriting import walk
from embedded.ksql.operators.build import build_topology
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.plan import Sink, Source
from embedded.ksql.runtime.query_settings import QuerySettings
from embedded.ksql.runtime.session import Cluster
from embedded.ksql.runtime.source_input import Partition, SourceInput

BATCH_ROWS = 5_000
WAIT_SECONDS = 0.1
MILLISECONDS = 1_000


class TransientQuery:
    """Reads, computes and hands rows over; keeps no state that outlives it. Close it when the client is gone.

    ``named`` is the query's id and its text.
    """

    def __init__(
        self, named: tuple[str, str], plan: Sink, settings: QuerySettings, cluster: Cluster, *, to_end: bool = False
    ) -> None:
        query_id, self.text = named
        self.query_id = query_id
        self.key_names = [column.name for column in plan.schema.key]
        topics = {part.topic for part in walk(plan.input) if isinstance(part, Source)}
        most = max((cluster.topics.partitions(topic) or 1 for topic in topics), default=1)
        self._topology = build_topology(plan, LIBRARY, cache=False, partitions=most)
        self._consumer = cluster.clients.consumer(
            query_id, enable_partition_eof=len(self._topology.sources) > 1, auto_offset_reset="earliest"
        )
        self._input = SourceInput(self._consumer, self._topology, cluster.registry)
        self._ends: Mapping[Partition, int] | None = None
        self._stopped = Event()
        self._assign(settings, cluster, to_end=to_end)

    def take(self) -> list[Row] | None:
        """Return the next rows, none of them after a tenth of a second without any; None when there are no more."""
        if self._stopped.is_set() or self._is_at_end():
            return None
        gathered = self._input.gather(BATCH_ROWS, WAIT_SECONDS)
        for source, rows in gathered.runs:
            self._topology.process(source, rows)
        self._topology.advance(int(time.time() * MILLISECONDS))
        self._topology.flush()
        self._topology.drain_failures()
        for store in self._topology.stores:
            store.drain_changes()
        return self._topology.drain()

    def stop(self) -> None:
        """Make the next ``take`` the last one; from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Leave Kafka."""
        self._stopped.set()
        self._consumer.close()

    def _assign(self, settings: QuerySettings, cluster: Cluster, *, to_end: bool) -> None:
        positions: dict[Partition, int] = {}
        ends: dict[Partition, int] = {}
        for source in self._topology.sources:
            from_start = to_end or settings.from_earliest or source.kind == "TABLE"
            for number, (first, end) in enumerate(cluster.topics.offsets(source.topic)):
                positions[source.topic, number] = first if from_start else end
                if end > first:
                    ends[source.topic, number] = end
        self._ends = ends if to_end else None
        self._input.assign(positions)

    def _is_at_end(self) -> bool:
        if self._ends is None:
            return False
        reached = {(position.topic, position.partition): position.offset for position in self._input.positions()}
        return all(OFFSET_INVALID != reached[partition] >= end for partition, end in self._ends.items())


class TransientQueries:
    """The transient queries that have a client, by id."""

    def __init__(self) -> None:
        self._queries: dict[str, TransientQuery] = {}

    def add(self, query: TransientQuery) -> None:
        """Take note of a query that has begun."""
        self._queries[query.query_id] = query

    def end(self, query_id: str) -> None:
        """Close a query whose client is gone, or has all it asked for."""
        query = self._queries.pop(query_id, None)
        if query is not None:
            query.close()

    def request_stop(self, query_id: str) -> bool:
        """Let a query's answer end; return whether there is such a query."""
        query = self._queries.get(query_id)
        if query is not None:
            query.stop()
        return query is not None

    def all(self) -> list[TransientQuery]:
        """Return the queries in the order in which they began."""
        return list(self._queries.values())

    def stop(self) -> None:
        """Let every answer end."""
        for query in self.all():
            query.stop()
