"""acls.yaml: it names what there is, and lets each part do what the other declarations have it do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple

from access.acls import Acl, Operation, Resource
from pipeline.check.fields import topics_written
from pipeline.check.finding import Finding
from pipeline.declared.acls import Part, split_star
from pipeline.declared.connectors import DEAD_LETTER_TOPIC, Connector, sink_group, subscribed
from pipeline.declared.files import ACLS, TOPICS
from pipeline.declared.ksql import topic_beside
from pipeline.declared.project import Project

_ENGINE_GROUPS = frozenset({"command-log", "restore", "print"})  # of the embedded engine


class _Need(NamedTuple):
    """What a part must be allowed, and which declaration has it do that."""

    part: str
    resource: Resource
    name: str
    operation: Operation
    why: str


def check_acls(project: Project) -> Iterator[Finding]:
    """Yield every name that leads nowhere, and every part that may not do its work; other parts are nobody's matter."""
    if not project.acls:
        return
    written = set(topics_written(project))
    topics = {topic.name for topic in project.topics} | written
    named = {*topics, *_of_dead_letters(project.connectors), *map(topic_beside, written)}
    groups = {sink_group(connector.name) for connector in project.connectors}
    for part in project.acls:
        yield from _names(part, named, groups)
    by_name = {part.name: part for part in project.acls}
    allowed = [acl for part in project.acls for acl in part.acls()]
    refused: dict[tuple[str, Resource, Operation], list[_Need]] = {}
    for need in _needs(project, topics, written):
        doer = by_name.get(need.part)
        if doer is not None and not any(acl.covers(_wanted(doer, need)) for acl in allowed):
            refused.setdefault((doer.name, need.resource, need.operation), []).append(need)
    for (name, resource, operation), needs in refused.items():
        names = list(dict.fromkeys(need.name for need in needs))
        listed = ", ".join(names)
        what = f"{name} may not {operation} {resource if len(names) == 1 else f'{resource}s'} {listed}"
        why = ", ".join(dict.fromkeys(need.why for need in needs))
        fix = f"allow it there: {resource}s: [{listed}], operations: [{operation}]"
        yield Finding(ACLS, by_name[name].line, what, why, fix)


def _wanted(doer: Part, need: _Need) -> Acl:
    return Acl(doer.principal, need.resource, need.name, prefixed=False, operation=need.operation)


def _of_dead_letters(connectors: Sequence[Connector]) -> set[str]:
    """Return the topics of each connector's dead letters, and of their replays, made or not."""
    return {
        topic
        for connector in connectors
        for topic in (f"dlq.{connector.name}", *(f"{topic}.retry.{connector.name}" for topic in connector.topics))
    }


def _names(part: Part, topics: set[str], groups: set[str]) -> Iterator[Finding]:
    for resource, name, line in part.named():
        if resource == "topic" and not (_fits_any(name, topics) or _is_internal(name)):
            what = f"{part.name}: topic {name} is declared nowhere"
            yield Finding(ACLS, line, what, "it would allow nothing", "correct the name, or add it to topics.yaml")
        elif resource == "group" and not (_fits_any(name, groups | _ENGINE_GROUPS) or _is_internal_group(name)):
            what = f"{part.name}: group {name} is no connector's, and neither the workers' nor ksqlDB's"
            fix = f"correct the name; a sink's group is {sink_group('<connector>')}"
            yield Finding(ACLS, line, what, "it would allow nothing", fix)


def _fits_any(pattern: str, names: set[str] | frozenset[str]) -> bool:
    stem, prefixed = split_star(pattern)
    return pattern == "*" or any(name.startswith(stem) if prefixed else name == stem for name in names)


def _is_internal(name: str) -> bool:
    """Whether a name is that of a topic or a group which workers and ksqlDB keep for themselves."""
    return "connect" in name or "ksql" in name


def _is_internal_group(name: str) -> bool:
    return _is_internal(name) and not name.startswith(sink_group(""))


def _needs(project: Project, topics: set[str], written: set[str]) -> Iterator[_Need]:
    for connector in project.connectors:
        yield from _of_sink(connector, topics, written)
    yield from _of_ksqldb(project)
    for schema in project.schemas:
        topic, _, part = schema.subject.rpartition("-")
        if part == "value" and topic in topics - written:
            yield _Need("producer", "topic", topic, "Write", f"{schema.path} is what it writes there")
    for one in project.topics:
        where = f"{TOPICS}:{one.line} declares it"
        yield _Need("deployer", "topic", one.name, "Create", where)
        if one.name in written:
            yield _Need("deployer", "topic", topic_beside(one.name), "Create", where)
        if ".retry." in one.name:
            yield _Need("operator", "topic", one.name, "Write", f"`pipeline dlq replay` does; {where}")


def _of_sink(connector: Connector, topics: set[str], written: set[str]) -> Iterator[_Need]:
    where = f"{connector.path}:{connector.line('topics' if connector.topics else 'topics.regex')} reads it"
    with suppress(re.error):  # a finding of its own
        for topic in sorted(subscribed(connector.config, topics)):
            yield _Need("connect", "topic", topic, "Read", where)
            if topic in written and topic in connector.topics:
                yield _Need("connect", "topic", topic_beside(topic), "Read", where)
    yield _Need("connect", "group", sink_group(connector.name), "Read", f"{connector.path} commits as it")
    if dead_letters := connector.config.get(DEAD_LETTER_TOPIC):
        where = f"{connector.path}:{connector.line(DEAD_LETTER_TOPIC)} writes to it"
        yield _Need("connect", "topic", dead_letters, "Write", where)


def _of_ksqldb(project: Project) -> Iterator[_Need]:
    topic_of = {one.name: one.definition.topic for one in project.ksql}
    declared = {topic.name for topic in project.topics}
    for one in project.ksql:
        where = f"{one.path}:{one.definition.line}"
        query = one.definition.query
        if query is None:
            yield _Need("ksqldb", "topic", one.definition.topic, "Read", f"{where} reads it")
            continue
        for source in query.sources:
            if source in topic_of:
                yield _Need("ksqldb", "topic", topic_of[source], "Read", f"{where} reads it")
        sink = one.definition.topic
        for topic in (sink, topic_beside(sink)):
            yield _Need("ksqldb", "topic", topic, "Write", f"{where} writes it")
            yield _Need("ksqldb", "topic", topic, "Delete", f"{where} writes it, and a rebuild deletes it")
            if sink not in declared:
                yield _Need("ksqldb", "topic", topic, "Create", f"{where} makes it")
