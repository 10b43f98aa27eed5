"""Runs ksql statements on rows in process: parser, planner and operators, without formats and topics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language import ast
from embedded.ksql.language.parser import parse
from embedded.ksql.operators.build import build_topology
from embedded.ksql.operators.interface import Row, Topology
from embedded.ksql.planning.plan import Format, Sink, TimestampColumn, WindowInfo
from embedded.ksql.planning.queries import plan_query
from embedded.ksql.planning.sink import SinkRequest
from embedded.ksql.types import Base, Column, Schema, SqlType


@dataclass(frozen=True)
class Declared:
    name: str
    kind: Literal["STREAM", "TABLE"]
    schema: Schema
    topic: str
    key_format: Format
    value_format: Format
    window: WindowInfo | None
    timestamp: TimestampColumn | None
    partitions: int = 1


@dataclass
class Replay:
    """The sources declared and the queries started by some statements."""

    cache: bool = False
    partitions: int = 1
    sources: dict[str, Declared] = field(default_factory=dict)
    queries: list[Topology] = field(default_factory=list)
    written: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))

    def source(self, name: str) -> Declared | None:
        return self.sources.get(name)

    def run(self, text: str) -> None:
        for parsed in parse(text):
            statement = parsed.statement
            if isinstance(statement, ast.CreateSource):
                self._declare(statement)
            elif isinstance(statement, ast.CreateAsSelect):
                request = SinkRequest(statement.name, statement.kind, statement.properties)
                self._start(plan_query(statement.query, self, LIBRARY, sink=request))

    def _declare(self, statement: ast.CreateSource) -> None:
        keys = tuple(Column(c.name, c.type) for c in statement.columns if c.constraint in ("KEY", "PRIMARY KEY"))
        values = tuple(Column(c.name, c.type) for c in statement.columns if c.constraint is None)
        properties = {name: getattr(value, "value", None) for name, value in statement.properties}
        time = properties.get("TIMESTAMP")
        kind = properties.get("WINDOW_TYPE")
        value_format: Any = properties.get("VALUE_FORMAT", "JSON")
        self.sources[statement.name] = Declared(
            statement.name,
            statement.kind,
            Schema(keys, values),
            str(properties["KAFKA_TOPIC"]),
            Format("KAFKA"),
            Format(value_format),
            WindowInfo(kind, None) if kind in ("TUMBLING", "HOPPING", "SESSION") else None,
            TimestampColumn(str(time).upper(), properties.get("TIMESTAMP_FORMAT")) if time else None,
        )

    def _start(self, plan: Sink) -> None:
        self.queries.append(build_topology(plan, LIBRARY, cache=self.cache, partitions=self.partitions))
        self.sources[plan.name] = Declared(
            plan.name,
            plan.kind,
            plan.schema,
            plan.topic or plan.name,
            plan.key_format,
            plan.value_format,
            plan.window,
            plan.timestamp,
        )

    def send(self, topic: str, rows: Sequence[Row]) -> None:
        """Let rows run through all queries, in statement order."""
        records = defaultdict(list, {topic: list(rows)})
        for query in self.queries:
            for index, source in enumerate(query.sources):
                arrived = records[source.topic]
                if not source.schema.key:
                    arrived = [row._replace(key=None) for row in arrived]
                query.process(index, [row if source.window else row._replace(window=None) for row in arrived])
            query.flush()
            out = query.drain()
            records[query.plan.topic or ""] += out
            self.written[query.plan.topic or ""] += out

    def restart(self, query: int, changelogs: Sequence[Mapping[bytes, bytes]]) -> None:
        """Replace a query by one that is restored from its changelogs."""
        topology = build_topology(self.queries[query].plan, LIBRARY, cache=self.cache, partitions=self.partitions)
        for store, changelog in zip(topology.stores, changelogs, strict=True):
            for key, value in changelog.items():
                store.restore(key, value)
        self.queries[query] = topology


def of_json(kind: SqlType, value: Any) -> Any:
    """Return a JSON value as the engine represents a column of the type."""
    if value is None:
        return None
    match kind.base:
        case Base.DECIMAL:
            return Decimal(str(value)).quantize(Decimal(1).scaleb(-kind.scale))
        case Base.DOUBLE:
            return float(value)
        case _:
            return value
