"""What is deployed, as the servers tell it; plain values, so that comparing needs no server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from access.acls import Acl
from pipeline.plan.change import Identity

Catalog = Mapping[str, str]  # "column user_events.x" → how PostgreSQL renders it


@dataclass(frozen=True, slots=True)
class Recorded:
    """What this project deployed last for one object: the declaration, how the server rendered it, who created it."""

    path: str
    content: str
    observed: str | None = None
    created: bool = True


@dataclass(frozen=True, slots=True)
class DeployedAcls:
    """What Kafka allows; ``unknown`` says why we may not see it, None if we may."""

    allowed: frozenset[Acl] = frozenset()
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class DeployedTopic:
    """A topic: what it sets itself, and what holds for a setting where it does not."""

    partitions: int
    overrides: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeployedSchema:
    """A subject: its newest schema, its compatibility level, and whether a version is the declared schema."""

    latest: Mapping[str, Any]
    compatibility: str | None
    holds_declared: bool


@dataclass(frozen=True, slots=True)
class DeployedSql:
    """A trial in a transaction that was rolled back.

    ``before`` is the database's catalog, ``migrated`` after the pending migrations, ``after`` after the scripts, too;
    ``declared`` what each script makes in an empty database; ``refusals`` what PostgreSQL refused. ``fresh``: there is
    no table of ours yet; ``took_too_long``: a migration could not be tried, so nobody knows what comes after it.
    """

    before: Catalog = field(default_factory=dict)
    migrated: Catalog = field(default_factory=dict)
    after: Catalog = field(default_factory=dict)
    declared: Mapping[str, Catalog] = field(default_factory=dict)
    refusals: Mapping[Identity, str] = field(default_factory=dict)
    migrations: Mapping[str, str] = field(default_factory=dict)
    fresh: bool = True
    took_too_long: bool = False


@dataclass(frozen=True, slots=True)
class DeployedKsql:
    """A stream or table, as the server keeps it; ``columns`` are those of its values, in order, with their types."""

    kind: str
    topic: str
    statement: str
    readers: tuple[str, ...] = ()
    writers: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DeployedConnector:
    """A connector: its configuration, the worker's defaults for what that sets beyond the declaration, its state."""

    config: Mapping[str, str]
    defaults: Mapping[str, str] = field(default_factory=dict)
    state: str = "RUNNING"


@dataclass(frozen=True, slots=True)
class Deployed:
    """Everything; a kind that was not asked for is empty, and without ``acls`` there is nothing to allow."""

    acls: DeployedAcls | None = None
    topics: Mapping[str, DeployedTopic] = field(default_factory=dict)
    schemas: Mapping[str, DeployedSchema] = field(default_factory=dict)
    sql: DeployedSql = field(default_factory=DeployedSql)
    ksql: Mapping[str, DeployedKsql] = field(default_factory=dict)
    connectors: Mapping[str, DeployedConnector] = field(default_factory=dict)
    recorded: Mapping[Identity, Recorded] = field(default_factory=dict)
