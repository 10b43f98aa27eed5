"""Streams, tables and queries as SHOW, DESCRIBE and EXPLAIN print them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedded.ksql.planning.catalog import Catalog, DeclaredSource
from embedded.ksql.planning.plan import Plan, Sink, Source
from embedded.ksql.rest.statistics import DEPRECATED, source_statistics, statistic
from embedded.ksql.runtime.naming import consumer_group
from embedded.ksql.runtime.running import RunningQuery
from embedded.ksql.runtime.session import Cluster
from embedded.ksql.types import Base, Schema, SqlType

RUNNING = "RUNNING"


def type_document(kind: SqlType) -> dict[str, Any]:
    """Return a type as DESCRIBE prints it."""
    document: dict[str, Any] = {"type": kind.base.value, "fields": None, "memberSchema": None}
    match kind.base:
        case Base.DECIMAL:
            document["parameters"] = {"precision": kind.precision, "scale": kind.scale}
        case Base.STRUCT:
            document["fields"] = [{"name": name, "schema": type_document(field)} for name, field in kind.fields]
        case Base.ARRAY | Base.MAP if kind.element is not None:
            document["memberSchema"] = type_document(kind.element)
    return document


def fields(schema: Schema) -> list[dict[str, Any]]:
    """Return a schema's columns, key columns first."""
    keys = [{"name": one.name, "schema": type_document(one.type), "type": "KEY"} for one in schema.key]
    return [*keys, *({"name": one.name, "schema": type_document(one.type)} for one in schema.value)]


def source_summary(source: DeclaredSource) -> dict[str, Any]:
    """Return one entry of SHOW STREAMS or SHOW TABLES."""
    return {
        "type": source.kind,
        "name": source.name,
        "topic": source.topic,
        "keyFormat": source.key_format.name,
        "valueFormat": source.value_format.name,
        "isWindowed": source.window is not None,
    }


def query_summary(query: RunningQuery) -> dict[str, Any]:
    """Return one entry of SHOW QUERIES."""
    state = query.worker.state.value
    topic = query.declared.plan.topic
    return {
        "queryString": query.declared.text,
        "sinks": [] if topic is None else [query.sink],
        "sinkKafkaTopics": [] if topic is None else [topic],
        "id": query.query_id,
        "statusCount": {state: 1},
        "queryType": "PERSISTENT",
        "state": state,
    }


def push_query_summary(query_id: str, text: str) -> dict[str, Any]:
    """Return the entry of SHOW QUERIES for a push query that has a client."""
    return {
        "queryString": text,
        "sinks": [],
        "sinkKafkaTopics": [],
        "id": query_id,
        "statusCount": {RUNNING: 1},
        "queryType": "PUSH",
        "state": RUNNING,
    }


def query_description(query: RunningQuery, cluster: Cluster, address: str) -> dict[str, Any]:
    """Return what EXPLAIN says of a running query."""
    declared = query.declared
    document = plan_description(declared.plan, query.query_id, declared.text, cluster)
    state = query.worker.state.value
    return document | {
        "overriddenProperties": dict(declared.properties),
        "ksqlHostQueryStatus": {address: state},
        "state": state,
        "queryErrors": [] if query.worker.failure is None else [{"errorMessage": query.worker.failure}],
    }


def plan_description(plan: Sink, query_id: str, text: str, cluster: Cluster) -> dict[str, Any]:
    """Return what EXPLAIN says of a plan that does not run. There is no topology of Kafka Streams to show."""
    is_push = not plan.name
    group = f"transient_{query_id}" if is_push else query_id
    return {
        "id": query_id,
        "statementText": text,
        "windowType": None if plan.window is None or is_push else plan.window.kind,
        "fields": fields(plan.schema),
        "sources": sorted({source.name for source in sources_of_plan(plan.input)}),
        "sinks": [] if is_push or plan.topic is None else [plan.name],
        "topology": "",
        "executionPlan": _outline(plan.input if is_push else plan),
        "overriddenProperties": {},
        "ksqlHostQueryStatus": {},
        "queryType": "PUSH" if is_push else "PERSISTENT",
        "queryErrors": [],
        "tasksMetadata": [],
        "consumerGroupId": consumer_group(cluster.service_id, group),
        "state": None,
    }


def source_description(
    source: DeclaredSource, catalog: Catalog, queries: Sequence[RunningQuery], cluster: Cluster, *, extended: bool
) -> dict[str, Any]:
    """Return what DESCRIBE says of a stream or table."""
    writing = [query for query in queries if query.sink == source.name]
    reading = [query for query in queries if source.name in query.declared.reads]
    statistics = source_statistics(writing, reading)
    failed = sum(query.worker.statistics.errors for query in reading)
    return {
        "name": source.name,
        "windowType": None if source.window is None else source.window.kind,
        "readQueries": [query_summary(query) for query in reading],
        "writeQueries": [query_summary(query) for query in writing],
        "fields": fields(source.schema),
        "type": source.kind,
        "timestamp": "" if source.timestamp is None else source.timestamp.name,
        "statistics": statistics.text() if extended else "",
        "errorStats": f"{DEPRECATED}consumer-failed-messages: {failed:9d}" if extended and failed else "",
        "extended": extended,
        "keyFormat": source.key_format.name,
        "valueFormat": source.value_format.name,
        "topic": source.topic,
        "partitions": cluster.topics.partitions(source.topic) or source.partitions,
        "replication": cluster.topics.replicas(source.topic),
        "statement": source.statement_text,
        "queryOffsetSummaries": [_offsets(query, cluster) for query in writing] if extended else [],
        "sourceConstraints": [made.name for made in catalog.sources.values() if source.name in made.made_from],
        "clusterStatistics": statistics.documents(),
        "clusterErrorStats": [statistic("consumer-failed-messages", failed)] if failed else [],
    }


def sources_of_plan(plan: Plan) -> list[Source]:
    """Return the sources that a plan reads, from left to right."""
    if isinstance(plan, Source):
        return [plan]
    inputs = [getattr(plan, name) for name in ("input", "left", "right") if hasattr(plan, name)]
    return [source for below in inputs for source in sources_of_plan(below)]


def _outline(plan: Sink | Plan, depth: int = 0) -> str:
    columns = [f"{one.name} {one.type} KEY" for one in plan.schema.key]
    columns += [f"{one.name} {one.type}" for one in plan.schema.value]
    indent = "\t\t" * depth
    line = f"{indent} > [ {type(plan).__name__.upper()} ] | Schema: {', '.join(columns)}\n"
    inputs = [getattr(plan, name) for name in ("input", "left", "right") if hasattr(plan, name)]
    return line + "".join(_outline(below, depth + 1) for below in inputs)


def _offsets(query: RunningQuery, cluster: Cluster) -> dict[str, Any]:
    positions = query.worker.positions()
    summaries = []
    for topic in sorted({source.topic for source in sources_of_plan(query.declared.plan.input)}):
        offsets = [
            {
                "partition": number,
                "logStartOffset": first,
                "logEndOffset": end,
                "consumerOffset": positions.get((topic, number), 0),
            }
            for number, (first, end) in enumerate(cluster.topics.offsets(topic))
        ]
        summaries.append({"kafkaTopic": topic, "offsets": offsets})
    return {"groupId": consumer_group(cluster.service_id, query.query_id), "topicSummaries": summaries}
