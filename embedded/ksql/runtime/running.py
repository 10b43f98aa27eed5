"""The persistent queries that run: starting, replacing, pausing and ending them."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from embedded.ksql.planning.catalog import DeclaredQuery
from embedded.ksql.runtime.naming import consumer_group
from embedded.ksql.runtime.query_settings import query_settings
from embedded.ksql.runtime.session import Cluster, QueryDefinition
from embedded.ksql.runtime.worker import QueryWorker

log = structlog.get_logger(__name__)

CHANGELOG_SUFFIX = "-changelog"


@dataclass(frozen=True, slots=True)
class RunningQuery:
    """A persistent query as it was declared, and the thread that runs it."""

    declared: DeclaredQuery
    worker: QueryWorker

    @property
    def query_id(self) -> str:
        """Its id, e.g. CTAS_AGG_5."""
        return self.declared.query_id

    @property
    def sink(self) -> str:
        """The stream or table it writes."""
        return self.declared.sink


class RunningQueries:
    """Every persistent query by its id. Until ``begin`` queries are only noted: a replay ends some of them again."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._queries: dict[str, RunningQuery] = {}
        self._begun = False

    def begin(self) -> None:
        """Start what was noted; from now on queries start at once."""
        self._begun = True
        for query in self._queries.values():
            query.worker.start()

    def all(self) -> list[RunningQuery]:
        """Return the queries in the order of their creation."""
        return list(self._queries.values())

    def get(self, query_id: str) -> RunningQuery | None:
        """Return a query by its id, whatever its case."""
        return self._queries.get(query_id) or self._queries.get(query_id.upper())

    def writing(self, source: str) -> list[RunningQuery]:
        """Return the queries that write a stream or table."""
        return [query for query in self._queries.values() if query.sink == source]

    def start(self, declared: DeclaredQuery) -> None:
        """Run a query. One of the same id is ended first: its state and position are taken over."""
        before = self._queries.get(declared.query_id)
        paused = before is not None and before.worker.paused
        if before is not None:
            before.worker.stop()
        definition = QueryDefinition(declared.query_id, declared.plan, query_settings(declared.properties))
        worker = QueryWorker(definition, self._cluster)
        worker.paused = paused
        self._queries[declared.query_id] = RunningQuery(declared, worker)
        if self._begun:
            worker.start()

    def pause(self, query_id: str, *, paused: bool) -> None:
        """Let a query rest, or go on."""
        query = self._queries.get(query_id)
        if query is not None:
            query.worker.paused = paused

    def end(self, query_id: str) -> None:
        """Stop a query for good and delete its state and position in Kafka. During a replay that was done before."""
        query = self._queries.pop(query_id, None)
        if query is None or not self._begun:
            return
        query.worker.stop()
        group = consumer_group(self._cluster.service_id, query_id)
        self._cluster.topics.delete(self._changelogs(f"{group}-"))
        self._cluster.topics.delete_groups([group])

    def forget_others(self) -> None:
        """Delete the state of queries that there are no more: of a process that died while it ended one."""
        kept = tuple(f"{consumer_group(self._cluster.service_id, query_id)}-" for query_id in self._queries)
        left = [
            name for name in self._changelogs(consumer_group(self._cluster.service_id, "")) if not name.startswith(kept)
        ]
        if left:
            log.info("changelogs.deleted", topics=left)
            self._cluster.topics.delete(left)

    def stop(self) -> None:
        """Stop all of them; their state stays in Kafka."""
        for query in self._queries.values():
            query.worker.request_stop()
        for query in self._queries.values():
            query.worker.stop()

    def _changelogs(self, prefix: str) -> list[str]:
        topics = self._cluster.topics.all(fresh=True)
        return [name for name in topics if name.startswith(prefix) and name.endswith(CHANGELOG_SUFFIX)]
