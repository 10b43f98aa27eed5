"""What a statement changes: pure data, made by ``prepare``, applied to a catalog here and to Kafka by the runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from embedded.ksql.formats.interface import SchemaRegistry
from embedded.ksql.planning.catalog import Catalog, DeclaredQuery, DeclaredSource
from embedded.ksql.types import SqlType

CLEANUP_POLICY = "cleanup.policy"
RETENTION = "retention.ms"


class World(Protocol):
    """What statements ask of Kafka and the registry while they are prepared; nothing is changed by asking."""

    @property
    def registry(self) -> SchemaRegistry:
        """The Schema Registry."""
        ...

    def partitions(self, topic: str) -> int | None:
        """Return how many partitions a topic has, or None if there is no such topic."""
        ...

    def replicas(self, topic: str) -> int:
        """Return a topic's replication factor."""
        ...

    def retention_ms(self, topic: str) -> int:
        """Return how long a topic keeps its records."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a statement is prepared with: what is declared, the world, its stream properties, its query's id."""

    catalog: Catalog
    world: World
    properties: Mapping[str, str]
    query_id: str


@dataclass(frozen=True, slots=True)
class TopicRequest:
    """A topic as a statement wants it; ``retention_ms`` None leaves it to the broker."""

    name: str
    partitions: int
    replicas: int
    cleanup_policy: str
    retention_ms: int | None = None

    def config(self) -> Mapping[str, str]:
        """Return the topic's settings."""
        config = {CLEANUP_POLICY: self.cleanup_policy}
        if self.retention_ms is not None:
            config[RETENTION] = str(self.retention_ms)
        return config


@dataclass(frozen=True, slots=True)
class Change:
    """What one statement changes, and what ksqlDB says of it.

    ``command_id`` is e.g. ``stream/`EVENTS`/create``, ``text`` the canonical statement, ``message`` the status message
    after success. Topics come first, then the catalog, then the queries.
    """

    command_id: str
    text: str
    message: str
    topic: TopicRequest | None = None
    declared: DeclaredSource | None = None
    started: DeclaredQuery | None = None
    dropped: str | None = None
    deleted_topic: str | None = None
    ended: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    resumed: tuple[str, ...] = ()
    added_types: Mapping[str, SqlType] = field(default_factory=dict)
    dropped_type: str | None = None

    @property
    def query_id(self) -> str | None:
        """The id of the query that the statement starts."""
        return None if self.started is None else self.started.query_id


@dataclass(frozen=True, slots=True)
class NothingToDo:
    """A statement whose IF [NOT] EXISTS makes it do nothing; answered as a ``warning_entity``."""

    message: str


def apply(change: Change, catalog: Catalog) -> None:
    """Put a change into the catalog."""
    if change.dropped is not None:
        catalog.sources.pop(change.dropped, None)
    for query_id in change.ended:
        catalog.queries.pop(query_id, None)
    if change.declared is not None:
        catalog.sources[change.declared.name] = change.declared
    if change.started is not None:
        catalog.queries[change.started.query_id] = change.started
    catalog.types.update(change.added_types)
    if change.dropped_type is not None:
        catalog.types.pop(change.dropped_type, None)
