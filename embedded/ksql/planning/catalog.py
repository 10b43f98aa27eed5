"""What statements have declared so far: streams, tables, custom types and the queries between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from embedded.ksql.planning.plan import Format, Sink, TimestampColumn, WindowInfo
from embedded.ksql.types import Schema, SqlType


@dataclass(frozen=True, slots=True)
class DeclaredSource:
    """A stream or table; implements ``interface.SourceView``.

    ``statement_text`` is the canonical text of its declaration, ``read_only`` marks CREATE SOURCE …, ``made_from``
    names the sources of a CREATE … AS: none of those can be dropped before it.
    """

    name: str
    kind: Literal["STREAM", "TABLE"]
    schema: Schema
    topic: str
    key_format: Format
    value_format: Format
    window: WindowInfo | None
    timestamp: TimestampColumn | None
    partitions: int
    statement_text: str
    read_only: bool = False
    made_from: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DeclaredQuery:
    """A persistent query: what it reads (names of sources) and what it writes."""

    query_id: str
    text: str
    plan: Sink
    properties: Mapping[str, str]
    reads: frozenset[str]

    @property
    def sink(self) -> str:
        """The stream or table it writes."""
        return self.plan.name


@dataclass(slots=True)
class Catalog:
    """Everything declared, by name and in order; a copy serves to try statements out."""

    sources: dict[str, DeclaredSource] = field(default_factory=dict)
    types: dict[str, SqlType] = field(default_factory=dict)
    queries: dict[str, DeclaredQuery] = field(default_factory=dict)

    def copy(self) -> Catalog:
        """Return a catalog of its own with the same content."""
        return Catalog(dict(self.sources), dict(self.types), dict(self.queries))

    def source(self, name: str) -> DeclaredSource | None:
        """Return a stream or table, or None."""
        return self.sources.get(name)

    def query(self, query_id: str) -> DeclaredQuery | None:
        """Return a query, whatever the case of its id; or None."""
        return self.queries.get(query_id) or self.queries.get(query_id.upper())

    def writing(self, name: str) -> list[DeclaredQuery]:
        """Return the queries that write a stream or table."""
        return [query for query in self.queries.values() if query.sink == name]

    def reading(self, name: str) -> list[DeclaredQuery]:
        """Return the queries that read a stream or table."""
        return [query for query in self.queries.values() if name in query.reads]
