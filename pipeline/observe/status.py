"""The state of everything that runs, in one look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.clients.connect import Connect, ConnectorDescription, ConnectorStatus
from pipeline.clients.containers import Containers
from pipeline.clients.embedded import EmbeddedStack, Server
from pipeline.clients.kafka import Kafka
from pipeline.clients.ksqldb import KsqlDb, RunningQuery
from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.connectors import sink_group, subscribed
from pipeline.errors import PipelineError, ServerError
from pipeline.observe.database import DatabaseLook, read_database
from pipeline.observe.lags import TopicLag, topic_lag
from pipeline.observe.servers import probed_servers
from pipeline.settings import LOCAL, Location, Settings, load_settings, load_stack_settings

T = TypeVar("T")

_THREADS = 8
# Nothing of ours has a connector STOPPED for longer than it takes to change it: see clients/connector_states.py.
_REMEDIES = {
    "PAUSED": "; `pipeline connectors resume {}` lets it go on",
    "STOPPED": ": a deployment or restart is at it, or was cut short, and the next `pipeline deploy` resumes it",
}


@dataclass(frozen=True, slots=True)
class ConnectorLook:
    """A connector and how far it is behind in each topic; ``lags`` is None where that cannot be told."""

    status: ConnectorStatus
    lags: list[TopicLag] | None


@dataclass(frozen=True, slots=True)
class QueryLook:
    """A persistent query of ksqlDB and how far it is behind."""

    query: RunningQuery
    lags: list[TopicLag] | None


@dataclass(frozen=True, slots=True)
class Status:
    """What was seen; ``unanswered`` says, by server, why something could not be."""

    servers: list[Server]
    connectors: list[ConnectorLook]
    queries: list[QueryLook]
    database: DatabaseLook | None
    unanswered: dict[str, str] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """What is unhealthy, a line each."""
        return list(_problems(self))

    @property
    def ok(self) -> bool:
        """Whether nothing is unhealthy. Dead letters alone are not: they wait for somebody, the pipeline does not."""
        return not self.problems


def look(location: Location) -> Status:
    """Ask every server at the same time. Raises SettingsError where there is nothing to look at."""
    settings = load_settings(location)
    with ThreadPoolExecutor(_THREADS) as pool:
        return _Look(location, settings, pool).status()


class _Look:
    """One look, with one thread a question; a server that does not answer leaves its part empty."""

    def __init__(self, location: Location, settings: Settings, pool: ThreadPoolExecutor) -> None:
        self._location, self._settings, self._pool = location, settings, pool
        self._kafka = Kafka(settings.kafka_config())
        self._connect = Connect(settings.connect)
        self._ksqldb = KsqlDb(settings.ksqldb)
        self._unanswered: dict[str, str] = {}

    def status(self) -> Status:
        own = self._pool.submit(self._own_servers)
        database = self._pool.submit(self._ask, "postgres", lambda: read_database(self._settings.postgres_dsn))
        connectors = self._pool.submit(self._ask, "connect", self._connect.describe)
        queries = self._pool.submit(self._ask, "ksql", self._queries)
        registry = self._pool.submit(self._ask, "registry", SchemaRegistry(self._settings.schema_registry).subjects)
        topics = self._ask("kafka", self._kafka.partitions)
        known = set(topics or ())
        connector_looks = [self._connector(each, known) for each in connectors.result() or ()]
        query_looks = [self._query(query, group, known) for query, group in queries.result() or ()]
        registry.result()
        return Status(
            servers=own.result() or probed_servers(self._settings, self._unanswered),
            connectors=[ConnectorLook(status, lags()) for status, lags in connector_looks],
            queries=[QueryLook(query, lags()) for query, lags in query_looks],
            database=database.result(),
            unanswered=self._unanswered,
        )

    def _ask(self, server: str, question: Callable[[], T]) -> T | None:
        try:
            return question()
        except ServerError as error:
            self._unanswered[server] = str(error)
            return None

    def _own_servers(self) -> list[Server]:
        """Return the processes or containers that this machine runs; none where the servers are elsewhere."""
        if self._location.profile not in {None, LOCAL}:
            project = self._settings.compose_project
            return Containers(project).servers() if project else []
        if not self._location.environment_file.exists():
            return []
        stack = load_stack_settings(self._location)
        if stack.kafka_bootstrap_servers != self._settings.kafka_bootstrap_servers:
            return []
        return EmbeddedStack(self._location.state_dir).servers()

    def _queries(self) -> list[tuple[RunningQuery, str]]:
        service = self._ksqldb.service_id()
        return [(query, f"_confluent-ksql-{service}query_{query.id}") for query in self._ksqldb.queries()]

    def _connector(
        self, each: ConnectorDescription, topics: set[str]
    ) -> tuple[ConnectorStatus, Callable[[], list[TopicLag] | None]]:
        if each.kind != "sink":
            return each.status, lambda: None
        return each.status, self._lags(sink_group(each.status.name), subscribed(each.config, topics), topics)

    def _query(
        self, query: RunningQuery, group: str, topics: set[str]
    ) -> tuple[RunningQuery, Callable[[], list[TopicLag] | None]]:
        return query, self._lags(group, set(), topics)

    def _lags(self, group: str, read: set[str], topics: set[str]) -> Callable[[], list[TopicLag] | None]:
        """Begin to measure a group, in the topics that it reads and those in which it has a position."""
        if "kafka" in self._unanswered:
            return lambda: None
        try:
            positions = self._kafka.group_topics(group)
        except PipelineError:
            return lambda: None
        measured = sorted(read | (positions & topics))
        lags = [
            self._pool.submit(self._ask, "kafka", lambda t=topic: topic_lag(self._kafka, group, t))
            for topic in measured
        ]
        return lambda: [lag for each in lags if (lag := each.result()) is not None]


def _problems(status: Status) -> Iterator[str]:
    yield from status.unanswered.values()
    for server in status.servers:
        if server.state != "running" and server.name not in status.unanswered:
            yield f"{server.name} is {server.state}{f': {server.reason}' if server.reason else ''}"
    for connector in status.connectors:
        yield from _connector_problems(connector.status)
    for each in status.queries:
        if each.query.state != "RUNNING":
            yield f"query {each.query.id} is {each.query.state}"
    check = status.database.last_verify if status.database else None
    if check and not check.ok:
        yield f"the last verify found differences: {check.differences_text}; `pipeline verify` says which"


def _connector_problems(status: ConnectorStatus) -> Iterator[str]:
    if status.state != "RUNNING":
        reason = f": {status.error}" if status.error else _REMEDIES.get(status.state, "").format(status.name)
        yield f"connector {status.name} is {status.state}{reason}"
    elif not status.tasks:
        yield f"connector {status.name} has no tasks"
    for task in status.tasks:
        if task.state not in {"RUNNING", status.state}:
            yield f"connector {status.name}, task {task.id} is {task.state}{f': {task.error}' if task.error else ''}"
