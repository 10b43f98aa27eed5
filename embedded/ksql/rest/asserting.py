"""ASSERT TOPIC and ASSERT SCHEMA: wait until something is there, or gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.language import ast
from embedded.ksql.planning.with_clause import property_texts
from embedded.ksql.runtime.registry import RegistryClient
from embedded.ksql.runtime.session import Cluster
from embedded.ksql.runtime.topics import Topics

DEFAULT_TIMEOUT_MS = 1_000
MILLISECONDS = 1_000
POLL_SECONDS = 0.1
_COUNTS = ("PARTITIONS", "REPLICAS")


class AssertionFailedError(KsqlError):
    """What was asserted did not come true in time."""

    status = 417
    error_code = 41700


def assert_statement(statement: ast.AssertTopic | ast.AssertSchema, cluster: Cluster) -> dict[str, Any]:
    """Wait for what is asserted and return the entity. Raises AssertionFailedError."""
    limit = DEFAULT_TIMEOUT_MS if statement.timeout is None else statement.timeout.milliseconds
    if isinstance(statement, ast.AssertTopic):
        wanted = _wanted(statement)
        _await(lambda: _topic_failure(statement, wanted, cluster.topics), limit)
        return {"@type": "assert_topic", "topicName": statement.topic, "exists": statement.exists}
    _await(lambda: _schema_failure(statement, cluster.registry), limit)
    return {"@type": "assert_schema", "subject": statement.subject, "id": statement.id, "exists": statement.exists}


def _await(failure: Callable[[], str | None], timeout_ms: int) -> None:
    deadline = time.monotonic() + timeout_ms / MILLISECONDS
    while True:
        message = failure()
        if message is None:
            return
        if time.monotonic() > deadline:
            raise AssertionFailedError(message)
        time.sleep(POLL_SECONDS)


def _wanted(statement: ast.AssertTopic) -> dict[str, str]:
    wanted = property_texts(statement.properties)
    unknown = [name for name in wanted if name not in _COUNTS]
    if unknown:
        raise StatementError(f"Cannot assert unknown topic property: {unknown[0]}")
    return wanted


def _topic_failure(statement: ast.AssertTopic, wanted: dict[str, str], topics: Topics) -> str | None:
    name = statement.topic
    partitions = topics.partitions(name)
    if partitions is None:
        return f"Topic {name} does not exist" if statement.exists else None
    if not statement.exists:
        return f"Topic {name} exists"
    actual = {"PARTITIONS": partitions, "REPLICAS": topics.replicas(name)}
    for count, expected in wanted.items():
        if str(actual[count]) != expected:
            return (
                f"Mismatched configuration for topic {name}: "
                f"For config {count.lower()}, expected {expected} got {actual[count]}"
            )
    return None


def _schema_failure(statement: ast.AssertSchema, registry: RegistryClient) -> str | None:
    found = registry.has(statement.subject, statement.id)
    if found is statement.exists:
        return None
    named = [
        *([f"subject name {statement.subject}"] if statement.subject is not None else []),
        *([f"id {statement.id}"] if statement.id is not None else []),
    ]
    return f"Schema with {' '.join(named)} {'does not exist' if statement.exists else 'exists'}"
