"""ksqlDB's statements: their sources exist, their columns are those of the topic, retention is that of the window."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.check.fields import Fields
from pipeline.check.finding import Finding
from pipeline.declared.files import TOPICS
from pipeline.declared.ksql import KsqlObject
from pipeline.declared.project import Project


def check_ksql(project: Project, fields: Fields) -> Iterator[Finding]:
    """Yield what ksqlDB would refuse, or would read as null."""
    seen: dict[str, KsqlObject] = {}
    for declared in project.ksql:
        if declared.name in seen:
            what = f"{declared.name} is declared in {seen[declared.name].path}, too"
            yield Finding(declared.path, declared.definition.line, what, "one would replace the other", "rename one")
        query = declared.definition.query
        for source in query.sources if query else ():
            if source not in seen:
                what = f"{declared.name} reads {source}, which no file before this one creates"
                fix = "give this file a higher number, or correct the name"
                yield Finding(declared.path, declared.definition.line, what, "files run in order of number", fix)
        if query is None:
            yield from _columns(declared, fields)
        yield from _partitions(declared, project)
        yield from _retention(declared, project)
        seen[declared.name] = declared


def _columns(declared: KsqlObject, fields: Fields) -> Iterator[Finding]:
    definition = declared.definition
    known = {field.name.upper(): field for field in fields.by_topic.get(definition.topic, [])}
    values = [column for column in definition.columns if not column.key]
    if not known or definition.format("VALUE") not in {"", "AVRO"}:
        return
    for column in values:
        field = known.get(column.name.upper())
        if field is None:
            what = f"{column.name} is no field of topic {definition.topic}"
            fix = f"correct the name; there are {', '.join(known)}"
            yield Finding(declared.path, column.line, what, "ksqlDB would read null in every record", fix)
        elif field.type is not None and field.type != column.type:
            what = f"{column.name} is {column.type}, but the topic holds {field.type}"
            why = f"see {field.path}:{field.line}; ksqlDB skips or misreads such records"
            yield Finding(declared.path, column.line, what, why, f"declare it {field.type}")
    timestamp = definition.options.get("TIMESTAMP", "").upper()
    if timestamp and timestamp not in {*known, *(column.name for column in definition.columns)}:
        what = f"TIMESTAMP = '{definition.options['TIMESTAMP']}' is no column of {declared.name}"
        yield Finding(declared.path, definition.line, what, "ksqlDB refuses it", "correct the name")


def _partitions(declared: KsqlObject, project: Project) -> Iterator[Finding]:
    stated = declared.definition.options.get("PARTITIONS")
    topic = next((topic for topic in project.topics if topic.name == declared.definition.topic), None)
    if stated and topic and stated != str(topic.partitions):
        what = f"PARTITIONS = {stated}, but topics.yaml:{topic.line} gives {topic.name} {topic.partitions}"
        why = "ksqlDB refuses a sink topic that exists with another number"
        yield Finding(declared.path, declared.definition.line, what, why, "state the same number in both")


def _retention(declared: KsqlObject, project: Project) -> Iterator[Finding]:
    query = declared.definition.query
    topic = next((topic for topic in project.topics if topic.name == declared.definition.topic), None)
    if query is None or query.retention_ms is None or topic is None:
        return
    if topic.config.get("retention.ms") != str(query.retention_ms):
        stated = topic.config.get("retention.ms", "not set")
        what = f"retention.ms of {topic.name} is {stated}, but its window's RETENTION is {query.retention_ms}"
        why = f"ksqlDB refuses the topic; see {declared.path}:{declared.definition.line}"
        yield Finding(TOPICS, topic.line, what, why, "state the same in both")
