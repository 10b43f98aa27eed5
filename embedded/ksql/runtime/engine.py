"""The engine: what is declared, what runs, and the log of commands that both can be rebuilt from."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Condition

import structlog
from confluent_kafka import Producer

from embedded.ksql.errors import KsqlError, UnavailableError, UndecidedError
from embedded.ksql.language import ast
from embedded.ksql.language.parser import ParsedStatement, parse
from embedded.ksql.planning.catalog import Catalog, DeclaredSource
from embedded.ksql.runtime.command_log import Command, CommandLog
from embedded.ksql.runtime.insert_values import check_values
from embedded.ksql.runtime.record_writer import RecordWriter
from embedded.ksql.runtime.running import RunningQueries
from embedded.ksql.runtime.session import Cluster
from embedded.ksql.runtime.sink_schemas import register_schemas, subjects
from embedded.ksql.runtime.sink_topics import ensure_topic
from embedded.ksql.runtime.transient import TransientQueries
from embedded.ksql.runtime.world import KafkaWorld, ReplayedWorld
from embedded.ksql.statements.changes import Change, NothingToDo, World, apply
from embedded.ksql.statements.prepare import prepare

log = structlog.get_logger(__name__)

TERMINATE_CLUSTER = "TERMINATE CLUSTER;"
SUCCESS = "SUCCESS"
REPLAY_WAITS_SECONDS = (1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class CommandStatus:
    """How a command ended; ``query_id`` is the query it started."""

    status: str
    message: str
    query_id: str | None = None


@dataclass(frozen=True, slots=True)
class Executed:
    """A change that was made, and its place in the log."""

    change: Change
    status: CommandStatus
    sequence_number: int


@dataclass(slots=True)
class Engine:
    """Executes statements one after the other. Hold ``changing`` from checking a request until it is done."""

    cluster: Cluster
    catalog: Catalog = field(default_factory=Catalog)
    statuses: dict[str, CommandStatus] = field(default_factory=dict)
    is_terminated: bool = False
    unreplayed: int = 0
    commands: CommandLog = field(init=False)
    queries: RunningQueries = field(init=False)
    transients: TransientQueries = field(init=False)
    producer: Producer = field(init=False)
    world: World = field(init=False)
    _lock: Condition = field(init=False)

    def __post_init__(self) -> None:
        cluster = self.cluster
        self.commands = CommandLog(cluster.clients, cluster.topics, cluster.service_id)
        self.queries = RunningQueries(cluster)
        self.transients = TransientQueries()
        self.producer = cluster.clients.producer()
        self.world = KafkaWorld(cluster.topics, cluster.registry)
        self._lock = Condition()

    def open(self) -> None:
        """Fence earlier processes, replay the command topic, start the queries. Raises ServerError."""
        self.commands.open()
        for command in self.commands.replay():
            self._replay(command)
        if self.unreplayed == 0:
            # Else the state that no query claims may belong to one that the next version of the engine replays again.
            self.queries.forget_others()
        self.queries.begin()
        log.info("engine.restored", sources=len(self.catalog.sources), queries=len(self.catalog.queries))

    def close(self) -> None:
        """End push queries, let persistent ones finish their transaction; everything stays in Kafka."""
        self.transients.stop()
        self.queries.stop()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep other requests from changing anything."""
        with self._lock:
            with suppress(UndecidedError):
                self.commands.settle()
            yield

    @contextmanager
    def letting_others(self) -> Iterator[None]:
        """Let other requests go first while this one only waits; within ``changing``."""
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()

    @property
    def next_query_number(self) -> int:
        """The number that the next query gets."""
        return self.commands.last_offset + 1

    def wait_for(self, sequence_number: int, timeout_seconds: float) -> bool:
        """Wait until a command was executed; return whether it was."""
        deadline = time.monotonic() + timeout_seconds
        with self._lock:
            while self.commands.last_offset < sequence_number:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._lock.wait(left)
        return True

    def execute(self, parsed: ParsedStatement, properties: Mapping[str, str]) -> Executed | NothingToDo:
        """Make the change that a statement asks for, for good.

        Raises KsqlError; then nothing was changed, but for UndecidedError: then it is made as soon as Kafka takes it.
        """
        self.commands.settle()
        change = prepare(parsed, self.catalog, self.world, properties, self.next_query_number)
        if isinstance(change, NothingToDo):
            return change
        if change.topic is not None:
            ensure_topic(self.cluster.topics, change.topic)
        if change.declared is not None:
            register_schemas(change.declared, self.cluster.registry)
        dropped = self.catalog.source(change.dropped) if change.dropped is not None else None
        command = Command(change.command_id, change.text, parsed.text, dict(properties), change.query_id)

        def finish(offset: int) -> Executed:
            self._take_effect(change)
            if dropped is not None and change.deleted_topic is not None:
                self._delete_topic(dropped)
            log.info("command.executed", command=change.command_id, offset=offset, query=change.query_id)
            self._lock.notify_all()
            return Executed(change, self.statuses[change.command_id], offset)

        return self.commands.append(command, finish)

    def insert(self, statement: ast.InsertValues, target: DeclaredSource) -> None:
        """Write the record of an INSERT INTO … VALUES. Raises KsqlError."""
        self.writer(target).write([check_values(statement, target)])

    def writer(self, target: DeclaredSource) -> RecordWriter:
        """Return what writes records of a stream or table."""
        return RecordWriter(target, self.cluster.registry, self.producer)

    def topic_readers(self) -> dict[str, tuple[int, int]]:
        """Return how many consumers and groups read each topic: this engine's queries, one consumer a partition."""
        readers: dict[str, tuple[int, int]] = {}
        for query in self.queries.all():
            partitions = Counter(topic for topic, _ in query.worker.positions())
            for topic, count in partitions.items():
                consumers, groups = readers.get(topic, (0, 0))
                readers[topic] = (consumers + count, groups + 1)
        return readers

    def terminate(self, topics: list[str]) -> int:
        """End all queries, delete the given topics and the command topic; return the command's number."""
        self.commands.settle()
        command = Command("terminate/CLUSTER/execute", TERMINATE_CLUSTER, TERMINATE_CLUSTER)
        return self.commands.append(command, partial(self._end_all, topics))

    def _end_all(self, topics: list[str], offset: int) -> int:
        self.is_terminated = True
        self.transients.stop()
        sources = [source for source in self.catalog.sources.values() if source.topic in topics]
        for query in self.queries.all():
            self.queries.end(query.query_id)
        self.catalog = Catalog()
        for source in sources:
            self._delete_topic(source)
        self.cluster.topics.delete([self.commands.topic])
        return offset

    def _take_effect(self, change: Change) -> None:
        apply(change, self.catalog)
        for query_id in change.ended:
            self.queries.end(query_id)
        if change.started is not None:
            self.queries.start(change.started)
        for query_id in change.paused:
            self.queries.pause(query_id, paused=True)
        for query_id in change.resumed:
            self.queries.pause(query_id, paused=False)
        self.statuses[change.command_id] = CommandStatus(SUCCESS, change.message, change.query_id)

    def _delete_topic(self, source: DeclaredSource) -> None:
        self.cluster.topics.delete([source.topic])
        for subject in subjects(source, self.cluster.registry):
            self.cluster.registry.delete(subject)

    def _replay(self, command: Command) -> None:
        if command.statement == TERMINATE_CLUSTER:
            self.catalog = Catalog()
            self.queries = RunningQueries(self.cluster)
            return
        try:
            change = self._prepare_again(command)
        except UnavailableError:
            raise
        except KsqlError as error:
            self.unreplayed += 1
            log.exception("command.not_replayed", command=command.command_id, offset=command.offset, error=str(error))
            return
        if isinstance(change, Change):
            self._take_effect(change)

    def _prepare_again(self, command: Command) -> Change | NothingToDo:
        """Return what a command of the log changes. Raises UnavailableError if a server stays away, KsqlError."""
        (parsed,) = parse(command.statement)
        world = ReplayedWorld(KafkaWorld(self.cluster.topics, self.cluster.registry))
        prepared = partial(prepare, parsed, self.catalog, world, command.properties, command.offset, command.query_id)
        for seconds in REPLAY_WAITS_SECONDS:
            try:
                return prepared()
            except UnavailableError as error:
                log.warning("command.waiting", command=command.command_id, error=error.message, seconds=seconds)
                time.sleep(seconds)
        return prepared()
