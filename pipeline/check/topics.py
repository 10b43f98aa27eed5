"""Topics: whoever names one must find it declared, or written by ksqlDB."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.check.fields import topics_written
from pipeline.check.finding import Finding
from pipeline.declared.connectors import DEAD_LETTER_TOPIC, Connector
from pipeline.declared.files import TOPICS
from pipeline.declared.project import Project

_ADD = "add it to topics.yaml, or correct the name"


def check_topics(project: Project) -> Iterator[Finding]:
    """Yield every name of a topic that leads nowhere."""
    declared = {topic.name for topic in project.topics}
    written = set(topics_written(project))
    for connector in project.connectors:
        yield from _connector(connector, declared | written, declared)
    for source in project.ksql:
        topic = source.definition.topic
        if source.definition.query is None and topic not in declared | written:
            what = f"{source.name} reads topic {topic}, which is declared nowhere"
            yield Finding(source.path, source.definition.line, what, "ksqlDB refuses a source without a topic", _ADD)
    for schema in project.schemas:
        topic, _, part = schema.subject.rpartition("-")
        if part not in {"key", "value"}:
            what = f"subject {schema.subject} is no topic's"
            why = "a subject is <topic>-value or <topic>-key; converters and ksqlDB look it up so"
            yield Finding(schema.path, 1, what, why, "rename the file")
        elif topic not in declared:
            what = f"subject {schema.subject} belongs to topic {topic}, which is not declared"
            yield Finding(schema.path, 1, what, "nobody could write records of this schema", _ADD)
    dead_letters = {f"dlq.{connector.name}" for connector in project.connectors}
    for one in project.topics:
        if one.name.startswith("dlq.") and one.name not in dead_letters:
            what = f"{one.name} is the dead letters of no connector"
            yield Finding(TOPICS, one.line, what, "dlq.<connector> names one", "remove it, or correct the name")


def _connector(connector: Connector, known: set[str], declared: set[str]) -> Iterator[Finding]:
    config = connector.config
    for topic in connector.topics:
        if topic not in known:
            what = f"topics: {topic} is declared nowhere"
            yield Finding(connector.path, connector.line("topics"), what, "the sink would wait for ever", _ADD)
    if not connector.topics and "topics.regex" in config:
        yield from _regex(connector, known)
    dead_letters = config.get(DEAD_LETTER_TOPIC)
    if dead_letters and dead_letters not in declared:
        what = f"{DEAD_LETTER_TOPIC}: {dead_letters} is not declared"
        why = "Connect would create it with defaults, or fail where brokers forbid that"
        yield Finding(connector.path, connector.line(DEAD_LETTER_TOPIC), what, why, _ADD)


def _regex(connector: Connector, known: set[str]) -> Iterator[Finding]:
    line = connector.line("topics.regex")
    try:
        pattern = re.compile(connector.config["topics.regex"])
    except re.error as error:
        yield Finding(connector.path, line, f"topics.regex is no regular expression: {error}")
        return
    if not any(pattern.fullmatch(topic) for topic in known):
        what = f"topics.regex: {pattern.pattern} fits no topic"
        yield Finding(connector.path, line, what, "the sink would have nothing to read", "correct it")
