"""Declared and deployed → changes, for all kinds; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from pipeline.declared.project import Project
from pipeline.plan.acls import compare_acls
from pipeline.plan.change import KINDS, Change, Identity, Kind
from pipeline.plan.connectors import compare_connector
from pipeline.plan.deployed import Deployed
from pipeline.plan.ksql import compare_ksql, take_new_fields
from pipeline.plan.schemas import compare_schema
from pipeline.plan.tables import compare_migrations, compare_script
from pipeline.plan.topics import compare_topic

_DELETED: tuple[Kind, ...] = ("connector", "ksql", "schema", "topic")


@dataclass(frozen=True, slots=True)
class Options:
    """What a plan may do: of which kinds; delete what is no longer declared; build ksql objects anew."""

    kinds: tuple[Kind, ...] = KINDS
    prune: bool = False
    rebuild: bool = False


def compare(project: Project, deployed: Deployed, options: Options) -> list[Change]:
    """Return a change for every declared object, in order of deployment, then for those that are declared no longer."""
    kinds = options.kinds
    changes: list[Change] = []
    if "acl" in kinds and deployed.acls is not None:
        changes.extend(compare_acls(project.acls, deployed.acls))
    if "topic" in kinds:
        changes.extend(compare_topic(topic, deployed.topics.get(topic.name)) for topic in project.topics)
    if "schema" in kinds:
        changes.extend(compare_schema(schema, deployed.schemas.get(schema.subject)) for schema in project.schemas)
    if {"migration", "table"} & set(kinds):  # tables are declared as migrations leave them
        migrations = compare_migrations(project.migrations, deployed.sql)
        changes.extend(one for one in migrations if "migration" in kinds or one.action == "create")
    if "table" in kinds:
        changes.extend(compare_script(script, deployed.sql) for script in project.sql)
    if "ksql" in kinds:
        changes.extend(_ksql(project, deployed, kinds))
    if "connector" in kinds:
        changes.extend(compare_connector(one, deployed.connectors.get(one.name)) for one in project.connectors)
    return [*changes, *_undeclared(changes, deployed, options)]


def _ksql(project: Project, deployed: Deployed, kinds: Collection[Kind]) -> Iterator[Change]:
    registered = {subject: schema.latest for subject, schema in deployed.schemas.items()}
    if "schema" in kinds:
        registered |= {
            schema.subject: schema.document
            for schema in project.schemas
            if schema.subject not in deployed.schemas or not deployed.schemas[schema.subject].holds_declared
        }
    for one in project.ksql:
        there = deployed.ksql.get(one.name)
        change = compare_ksql(one, there, deployed.recorded.get(Identity("ksql", one.name)))
        yield take_new_fields(change, one, there, registered.get(f"{one.definition.topic}-value", {}))


def _undeclared(changes: Collection[Change], deployed: Deployed, options: Options) -> Iterator[Change]:
    """Yield what this project deployed, is still there, and is declared no longer; nothing of anybody else."""
    declared = {change.identity for change in changes}
    gone = [one for one, record in deployed.recorded.items() if record.created and one not in declared]
    there: dict[Kind, Mapping[str, object]] = {
        "topic": deployed.topics,
        "schema": deployed.schemas,
        "ksql": deployed.ksql,
        "connector": deployed.connectors,
    }
    for kind in _DELETED:
        # What was created later reads what was created before, so it goes first.
        for name in reversed([identity.name for identity in gone if identity.kind == kind]):
            if name in there[kind] and kind in options.kinds:
                yield _deletion(Identity(kind, name), deployed, gone, prune=options.prune)


def _deletion(identity: Identity, deployed: Deployed, gone: Collection[Identity], *, prune: bool) -> Change:
    kind, name = identity
    if not prune:
        return Change(kind, name, "keep", consequences=("no longer declared; --prune deletes it",))
    refusal = None
    match kind:
        case "topic":
            consequence = "its records are lost"
        case "ksql":
            readers = [one for one in deployed.ksql[name].readers if Identity("ksql", one) not in gone]
            refusal = f"{name} is read by {', '.join(readers)}" if readers else None
            consequence = "its query ends and its state is lost; its topic stays"
        case "connector":
            consequence = "its tasks end; what it has written stays"
        case _:
            consequence = "its schemas stay readable by id"
    return Change(kind, name, "delete", consequences=(consequence,), refusal=refusal)
