"""A plan: what a deployment of some files would do now, and what the servers say to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.clients.kafka import Kafka
from pipeline.declared.files import Files
from pipeline.declared.project import Project, parse_project
from pipeline.plan.change import Change
from pipeline.plan.collect import collect
from pipeline.plan.compare import Options, compare
from pipeline.plan.ksql import needs_rebuild, plan_rebuilds
from pipeline.plan.servers import Servers
from pipeline.plan.validate import validate


@dataclass(frozen=True, slots=True)
class Plan:
    """The files, what may be done, and a change for each object, unchanged ones too.

    In a fresh database migrations are recorded and not run: its tables are made as they are declared now.
    """

    files: Files
    options: Options
    changes: tuple[Change, ...]
    is_fresh_database: bool = False

    @property
    def project(self) -> Project:
        """What the files declare."""
        return parse_project(self.files)

    @property
    def refusals(self) -> list[str]:
        """Why it cannot be deployed; empty if it can."""
        return [change.refusal for change in self.changes if change.refusal]

    @property
    def has_changes(self) -> bool:
        """Whether what is deployed is not what is declared."""
        return any(change.changes for change in self.changes)


def make_plan(files: Files, servers: Servers, options: Options) -> Plan:
    """Compare, and let every server validate. Raises DeclarationError, ServerError."""
    project = parse_project(files)
    deployed = collect(project, servers, options.kinds)
    changes = validate(compare(project, deployed, options), project, servers)
    updates = [change for change in changes if change.kind == "ksql" and change.action == "update"]
    if any(options.rebuild or needs_rebuild(change.refusal) for change in updates):
        records = _records(servers.kafka, {one.definition.topic for one in project.ksql})
        changes = _rebuilds(changes, project, records, options)
    return Plan(files, options, tuple(changes), deployed.sql.fresh)


def _rebuilds(changes: Sequence[Change], project: Project, records: dict[str, int], options: Options) -> list[Change]:
    ksql = [change for change in changes if change.kind == "ksql" and change.action != "delete"]
    planned = {one.identity: one for one in plan_rebuilds(ksql, project.ksql, records, rebuild=options.rebuild)}
    return [planned.get(change.identity, change) for change in changes]


def _records(kafka: Kafka, topics: Iterable[str]) -> dict[str, int]:
    existing = kafka.partitions()
    return {
        topic: sum(kafka.ends(topic).values()) - sum(kafka.starts(topic).values())
        for topic in topics
        if topic in existing
    }
