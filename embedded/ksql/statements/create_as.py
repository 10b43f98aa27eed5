"""CREATE STREAM | TABLE … AS SELECT and INSERT INTO … SELECT: queries that write a topic."""

from __future__ import annotations

import re
from dataclasses import replace

from embedded.ksql.errors import StatementError
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_statement
from embedded.ksql.planning.catalog import Catalog, DeclaredQuery, DeclaredSource
from embedded.ksql.planning.plan import Sink
from embedded.ksql.planning.queries import plan_query
from embedded.ksql.planning.sanitize import sanitize_query
from embedded.ksql.planning.sink import SinkRequest
from embedded.ksql.planning.source_names import sources_of
from embedded.ksql.statements.changes import Change, Context, NothingToDo, TopicRequest
from embedded.ksql.statements.properties import (
    DEFAULT_FORMATS,
    insert_properties,
    refuse_other_policy,
    result_properties,
    topic_count,
)
from embedded.ksql.statements.texts import (
    CleanupPolicy,
    already_exists,
    created_query,
    failing_as,
    source_id,
    with_properties,
)
from embedded.ksql.statements.upgrades import check_query, check_source

_SCHEMA_ERROR = "Could not determine output schema for query due to error: "
_OWN_IDS = ("INSERTQUERY_", "CTAS_", "CSAS_", "CST_")
_INSERT_INTO = re.compile(r"\s*INSERT\s+INTO\s+", re.IGNORECASE)


def create_as(statement: ast.CreateAsSelect, text: str, context: Context) -> Change | NothingToDo:
    """Return what a CREATE … AS changes. Raises KsqlError with ksqlDB's message."""
    catalog = context.catalog
    with failing_as(text):
        properties = result_properties(statement.properties)
        query = sanitize_query(replace(statement.query, emit=statement.query.emit or "CHANGES"), catalog)
    topic = _topic_request(statement, properties, context)
    refuse_other_policy(properties, topic.cleanup_policy)
    canonical = _canonical(statement, query, topic)
    before = catalog.source(statement.name)
    with failing_as(canonical):
        if before is not None and not statement.or_replace:
            exists = already_exists(statement.kind, statement.name, before.kind)
            if statement.if_not_exists:
                return NothingToDo(exists.replace(f"'{statement.name}'", f"`{statement.name}`") + ".")
            raise StatementError(_SCHEMA_ERROR + exists)
        replaced = _replaced(statement.name, context) if before is not None else None
        default_key_format = context.properties.get(DEFAULT_FORMATS["KEY_FORMAT"], "KAFKA")
        request = SinkRequest(statement.name, statement.kind, statement.properties, canonical, default_key_format)
        plan = plan_query(replace(statement.query, emit=query.emit), catalog, LIBRARY, sink=request)
        reads = _reads(query, catalog)
        source = _result(plan, topic, canonical, reads)
        if before is not None:
            check_source(before, source)
        if replaced is not None:
            check_query(replaced.plan, plan)
    query_id = context.query_id if replaced is None else replaced.query_id
    started = DeclaredQuery(query_id, canonical, plan, context.properties, reads)
    return Change(
        source_id(statement.kind, statement.name),
        canonical,
        created_query(query_id),
        topic=topic,
        declared=source,
        started=started,
    )


def insert_into(statement: ast.InsertSelect, text: str, context: Context) -> Change:
    """Return what an INSERT INTO … SELECT changes. Raises KsqlError with ksqlDB's message."""
    catalog = context.catalog
    with failing_as(text):
        target = catalog.source(statement.target)
        if target is None:
            raise StatementError(
                f"Exception while preparing statement: {_position(text)}Source `{statement.target}` does not exist."
            )
        if target.read_only and target.kind == "STREAM":
            raise StatementError(f"Cannot insert into read-only {target.kind.lower()}: {target.name}")
        if any(column.header is not None for column in target.schema.value):
            raise StatementError(f"Cannot insert into {target.name} because it has header columns")
        named = insert_properties(statement.properties).get("QUERY_ID")
        query_id = context.query_id if named is None else named.upper()
        if named is not None:
            _check_query_id(query_id)
        if catalog.query(query_id) is not None:
            raise StatementError(f"Query ID '{query_id}' already exists.")
        query = replace(statement.query, emit=statement.query.emit or "CHANGES")
        request = SinkRequest(target.name, target.kind, statement_text=text, insert_into=target)
        plan = plan_query(query, catalog, LIBRARY, sink=request)
    started = DeclaredQuery(query_id, text, plan, context.properties, _reads(query, catalog))
    return Change(source_id(target.kind, target.name), text, created_query(query_id), started=started)


def _check_query_id(query_id: str) -> None:
    """Raise StatementError for a QUERY_ID that ksqlDB might give itself, or with anything but letters and digits."""
    if query_id.startswith(_OWN_IDS):
        raise StatementError(
            f"Query IDs must not start with a reserved query ID prefix ({', '.join(_OWN_IDS)}). Got '{query_id}'."
        )
    if re.fullmatch("[A-Za-z0-9_]+", query_id) is None:
        raise StatementError(f"Query IDs may contain only alphanumeric characters and '_'. Got: '{query_id}'")


def _topic_request(statement: ast.CreateAsSelect, properties: dict[str, str], context: Context) -> TopicRequest:
    source = sources_of(statement.query, context.catalog).sources[0].source
    window = statement.query.window
    retention = context.world.retention_ms(source.topic)
    policy: CleanupPolicy = "delete"
    if statement.kind == "TABLE":
        policy = "compact" if window is None else "compact,delete"
    if window is not None and window.retention is not None:
        retention = max(retention, window.retention.milliseconds)
    return TopicRequest(
        properties.get("KAFKA_TOPIC", statement.name),
        topic_count(properties, "PARTITIONS") or source.partitions,
        topic_count(properties, "REPLICAS") or context.world.replicas(source.topic),
        policy,
        topic_count(properties, "RETENTION_MS") or retention,
    )


def _canonical(statement: ast.CreateAsSelect, query: ast.Query, topic: TopicRequest) -> str:
    injected: dict[str, str | int] = {
        "KAFKA_TOPIC": topic.name,
        "PARTITIONS": topic.partitions,
        "REPLICAS": topic.replicas,
        "CLEANUP_POLICY": topic.cleanup_policy,
    }
    if topic.retention_ms is not None:
        injected["RETENTION_MS"] = topic.retention_ms
    return format_statement(replace(with_properties(statement, injected), query=query))


def _replaced(name: str, context: Context) -> DeclaredQuery | None:
    """Return the query that CREATE OR REPLACE takes over from."""
    writing = context.catalog.writing(name)
    if len(writing) > 1:
        listed = ", ".join(query.query_id for query in writing)
        raise StatementError(
            f"{_SCHEMA_ERROR}REPLACE for sink `{name}` is not supported because there are multiple queries writing "
            f"into it: [{listed}]"
        )
    return writing[0] if writing else None


def _result(plan: Sink, topic: TopicRequest, text: str, reads: frozenset[str]) -> DeclaredSource:
    return DeclaredSource(
        name=plan.name,
        kind=plan.kind,
        schema=plan.schema,
        topic=topic.name,
        key_format=plan.key_format,
        value_format=plan.value_format,
        window=plan.window,
        timestamp=plan.timestamp,
        partitions=topic.partitions,
        statement_text=text,
        made_from=reads,
    )


def _reads(query: ast.Query, catalog: Catalog) -> frozenset[str]:
    return frozenset(source.source.name for source in sources_of(query, catalog).sources)


def _position(text: str) -> str:
    """Return "Line: 1, Col: 13: ", the place of the name after INSERT INTO."""
    before = _INSERT_INTO.match(text)
    head = before[0] if before else ""
    line, column = head.count("\n") + 1, len(head) - (head.rfind("\n") + 1) + 1
    return f"Line: {line}, Col: {column}: "
