"""The engine without Kafka: statements are prepared and run one by one, every record through every query."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from embedded.ksql.cases.cluster import Cluster, InMemoryProducer
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language import ast
from embedded.ksql.language.named_types import resolve_types
from embedded.ksql.language.parser import ParsedStatement, parse
from embedded.ksql.operators.build import build_topology
from embedded.ksql.planning.catalog import Catalog, DeclaredQuery, DeclaredSource
from embedded.ksql.planning.column_use import used_columns
from embedded.ksql.runtime.decoding import Decoder
from embedded.ksql.runtime.encoding import Encoder
from embedded.ksql.runtime.insert_values import check_values, target_of
from embedded.ksql.runtime.properties import define
from embedded.ksql.runtime.record_writer import RecordWriter
from embedded.ksql.statements.changes import Change, apply
from embedded.ksql.statements.prepare import is_change, prepare

#: What goes by between two inputs; some joins look at the clock.
STEP_MS = 2_000


class RunningQuery:
    """One query between topics. An error in it ends it, as it ends a real one."""

    def __init__(self, declared: DeclaredQuery, cluster: Cluster) -> None:
        self._cluster = cluster
        self._topic = declared.plan.topic
        self._topology = build_topology(declared.plan, LIBRARY)
        self._decoders = [
            Decoder(source, cluster.registry, used)
            for source, used in zip(self._topology.sources, used_columns(declared.plan), strict=True)
        ]
        self._encoder = Encoder(declared.plan, 1, cluster.registry)
        self._positions = [0] * len(self._decoders)
        self.failure: str | None = None

    def start_at(self, before: RunningQuery) -> None:
        """Take state and position over from the query that this one replaces."""
        for old, new in zip(before._topology.stores, self._topology.stores, strict=False):
            for key, value in old.drain_changes():
                new.restore(key, value)
        self._positions = before._positions

    def step(self, now_ms: int) -> bool:
        """Process what has come; return whether there was anything."""
        if self.failure is not None:
            return False
        try:
            return self._step(now_ms)
        except Exception as error:  # noqa: BLE001 - whatever kills a query is kept as its failure
            self.failure = f"{type(error).__name__}: {error}"
            return True

    def _step(self, now_ms: int) -> bool:
        moved = False
        for index, source in enumerate(self._topology.sources):
            waiting = self._cluster.topics[source.topic][self._positions[index] :]
            self._positions[index] += len(waiting)
            rows, _ = self._decoders[index].decode(cast("Any", waiting))
            if rows:
                self._topology.process(index, rows)
            moved = moved or bool(waiting)
        self._topology.advance(now_ms)
        self._topology.flush()
        for value, key, _, timestamp in self._encoder.encode(self._topology.drain()):
            if self._topic is not None:
                self._cluster.append(self._topic, key, value, timestamp)
                moved = True
        return moved


@dataclass(slots=True)
class Engine:
    """Catalog, queries and topics of one case."""

    cluster: Cluster = field(default_factory=Cluster)
    catalog: Catalog = field(default_factory=Catalog)
    queries: dict[str, RunningQuery] = field(default_factory=dict)
    now_ms: int = 0
    statements: int = 0
    properties: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def execute(self, text: str) -> None:
        """Run statements; those that only look do nothing. Raises KsqlError."""
        for parsed in parse(text, self.variables):
            statement = parsed.statement
            if define(statement, self.properties, self.variables):
                continue
            if is_change(statement):
                self._change(parsed)
            elif isinstance(statement, ast.InsertValues):
                target = target_of(statement.target, self.catalog)
                values = check_values(resolve_types(statement, self.catalog.types), target)
                writer = RecordWriter(target, self.cluster.registry, cast("Any", InMemoryProducer(self.cluster)))
                writer.write([values])

    def _change(self, parsed: ParsedStatement) -> None:
        self.statements += 1
        change = prepare(parsed, self.catalog, self.cluster, dict(self.properties), self.statements)
        if isinstance(change, Change):
            apply(change, self.catalog)
            self._follow(change)

    def run(self) -> None:
        """Let every query process what has come, in the order of the statements, until nothing is left."""
        self.now_ms += STEP_MS
        moved = True
        while moved:
            moved = False
            for query in self.queries.values():
                moved = query.step(self.now_ms) or moved

    def reader_of(self, topic: str, *, windowed: bool) -> DeclaredSource | None:
        """Return the source that was declared last over a topic, of those whose keys are (or are not) windowed."""
        declared = [source for source in self.catalog.sources.values() if source.topic == topic]
        fitting = [source for source in declared if (source.window is not None) is windowed]
        return next(reversed(fitting or declared), None)

    def _follow(self, change: Change) -> None:
        for query_id in change.ended:
            self.queries.pop(query_id, None)
        if change.started is not None:
            query = RunningQuery(change.started, self.cluster)
            before = self.queries.get(change.started.query_id)
            if before is not None:
                query.start_at(before)
            self.queries[change.started.query_id] = query
