"""A world of servers as plain values: deploys what a plan says, fills in defaults, renders in its own way."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from access.acls import Acl
from pipeline.declared.acls import Part
from pipeline.declared.project import Project
from pipeline.plan.acls import missing_acls
from pipeline.plan.change import Change, Identity
from pipeline.plan.deployed import (
    Deployed,
    DeployedAcls,
    DeployedConnector,
    DeployedKsql,
    DeployedSchema,
    DeployedSql,
    DeployedTopic,
    Recorded,
)

TOPIC_DEFAULTS = {"cleanup.policy": "delete", "retention.ms": "604800000", "max.message.bytes": "1048588"}
CONNECTOR_DEFAULTS = {"batch.size": "500", "errors.tolerance": "none"}


@dataclass
class World:
    """What is deployed; catalogs of scripts are given, as PostgreSQL would render them."""

    catalogs: dict[str, dict[str, str]]
    acls: frozenset[Acl] | None = frozenset()
    topics: dict[str, tuple[int, dict[str, str]]] = field(default_factory=dict)
    schemas: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    database: dict[str, str] = field(default_factory=dict)
    migrations: dict[str, str] = field(default_factory=dict)
    ksql: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    connectors: dict[str, dict[str, str]] = field(default_factory=dict)
    recorded: dict[Identity, Recorded] = field(default_factory=dict)

    def seen(self, project: Project) -> Deployed:
        """Return what the servers tell: with defaults where nothing was set, and secrets hidden."""
        declared = {schema.subject: schema.document for schema in project.schemas}
        return Deployed(
            acls=None if self.acls is None else DeployedAcls(self.acls),
            topics={name: DeployedTopic(n, config, TOPIC_DEFAULTS) for name, (n, config) in self.topics.items()},
            schemas={
                subject: DeployedSchema(versions[-1], "BACKWARD", declared.get(subject) in versions)
                for subject, versions in self.schemas.items()
            },
            sql=self._trial(project),
            ksql={name: DeployedKsql(kind, topic, text.upper()) for name, (kind, topic, text) in self.ksql.items()},
            connectors={
                name: DeployedConnector(
                    {
                        **CONNECTOR_DEFAULTS,
                        **{key: "****" if "password" in key else value for key, value in config.items()},
                    },
                    CONNECTOR_DEFAULTS,
                )
                for name, config in self.connectors.items()
            },
            recorded=dict(self.recorded),
        )

    def _trial(self, project: Project) -> DeployedSql:
        declared = {script.name: self.catalogs.get(script.name, {}) for script in project.sql}
        after = dict(self.database)
        for catalog in declared.values():
            after |= catalog
        fresh = not self.migrations and not self.database
        return DeployedSql(self.database, self.database, after, declared, {}, self.migrations, fresh)

    def deploy(self, changes: Sequence[Change], project: Project) -> None:
        """Do what a plan says, and nothing else."""
        for change in changes:
            match change.action:
                case "delete":
                    kinds: dict[str, dict[str, Any]] = {
                        "topic": self.topics,
                        "schema": self.schemas,
                        "ksql": self.ksql,
                        "connector": self.connectors,
                    }
                    del kinds[change.kind][change.name]
                    del self.recorded[change.identity]
                case "create" | "update" if change.kind == "acl":
                    self._allow(next(one for one in project.acls if one.name == change.name))
                case "create" | "update":
                    self._apply(change, project)

    def _allow(self, part: Part) -> None:
        assert self.acls is not None
        self.acls |= set(missing_acls(part, self.acls))

    def _apply(self, change: Change, project: Project) -> None:
        recorded = Recorded("path", "")
        match change.kind:
            case "topic":
                partitions, config = self.topics.get(change.name, (0, {}))
                for one in change.differences:
                    if one.key == "partitions":
                        partitions = int(one.after or 0)
                    elif one.after is None:
                        config.pop(one.key, None)
                    else:
                        config[one.key] = one.after
                self.topics[change.name] = (partitions, config)
            case "schema":
                document = next(one.document for one in project.schemas if one.subject == change.name)
                self.schemas.setdefault(change.name, []).append(document)
            case "migration":
                migration = next(one for one in project.migrations if one.name == change.name)
                self.migrations[change.name] = migration.sha256
            case "table":
                self.database |= {one.key: one.after for one in change.differences if one.after is not None}
            case "ksql":
                made = next(one for one in project.ksql if one.name == change.name)
                self.ksql[change.name] = (made.kind, made.definition.topic, made.statement)
                recorded = Recorded(str(made.path), made.text, made.statement.upper())
            case "connector":
                self.connectors[change.name] = dict(
                    next(one.config for one in project.connectors if one.name == change.name)
                )
        known = self.recorded.get(change.identity)
        created = change.action == "create" or bool(known and known.created)
        self.recorded[change.identity] = dataclasses.replace(recorded, created=created)
