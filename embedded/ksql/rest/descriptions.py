"""Streams, tables and queries as SHOW, DESCRIBE and EXPLAIN print them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from embedded.ksql.planning.interface import SourceView
from embedded.ksql.planning.plan import Plan, Sink, Source
from embedded.ksql.runtime.naming import consumer_group
from embedded.ksql.runtime.running import RunningQuery
from embedded.ksql.runtime.session import Cluster
from embedded.ksql.types import Base, Schema, SqlType

MILLISECONDS = 1_000
_DEPRECATED = (
    "The statistics field is deprecated and will be removed in a future version of ksql. "
    "Please update your client to the latest version and use statisticsMap instead.\n"
)


class DescribedSource(SourceView, Protocol):
    """A declared stream or table with the canonical text of its declaration."""

    @property
    def statement_text(self) -> str:
        """The statement that made it."""
        ...


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


def source_summary(source: DescribedSource) -> dict[str, Any]:
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
    return {
        "queryString": query.text,
        "sinks": [query.sink],
        "sinkKafkaTopics": [query.definition.plan.topic],
        "id": query.query_id,
        "statusCount": {state: 1},
        "queryType": "PERSISTENT",
        "state": state,
    }


def query_description(query: RunningQuery) -> dict[str, Any]:
    """Return what EXPLAIN says of a running query."""
    plan = query.definition.plan
    document = plan_description(plan, query.query_id, query.text)
    state = query.worker.state.value
    return document | {
        "sinks": [query.sink],
        "windowType": None if plan.window is None else plan.window.kind,
        "ksqlHostQueryStatus": {"embedded:0": state},
        "queryType": "PERSISTENT",
        "state": state,
        "queryErrors": [] if query.worker.failure is None else [{"errorMessage": query.worker.failure}],
    }


def plan_description(plan: Sink, query_id: str, text: str) -> dict[str, Any]:
    """Return what EXPLAIN says of a plan that does not run."""
    return {
        "id": query_id,
        "statementText": text,
        "windowType": None,
        "fields": fields(plan.schema),
        "sources": sorted({source.name for source in sources_of_plan(plan.input)}),
        "sinks": [],
        "topology": "",
        "executionPlan": _outline(plan),
        "overriddenProperties": {},
        "ksqlHostQueryStatus": {},
        "queryType": "PUSH",
        "state": None,
        "queryErrors": [],
        "tasksMetadata": [],
    }


def source_description(
    source: DescribedSource, queries: Sequence[RunningQuery], cluster: Cluster, *, extended: bool
) -> dict[str, Any]:
    """Return what DESCRIBE says of a stream or table."""
    writing = [query for query in queries if query.sink == source.name]
    reading = [
        query
        for query in queries
        if source.name in {read.name for read in sources_of_plan(query.definition.plan.input)}
    ]
    written = sum(query.worker.statistics.records_out for query in writing)
    last = max((query.worker.statistics.last_message_ms for query in writing), default=0)
    failed = sum(query.worker.statistics.errors for query in writing)
    return {
        "name": source.name,
        "windowType": None if source.window is None else source.window.kind,
        "readQueries": [query_summary(query) for query in reading],
        "writeQueries": [query_summary(query) for query in writing],
        "fields": fields(source.schema),
        "type": source.kind,
        "timestamp": "" if source.timestamp is None else source.timestamp.name,
        "statistics": _statistics(written, last) if extended and written else "",
        "errorStats": f"{_DEPRECATED}consumer-failed-messages: {failed}" if extended and failed else "",
        "extended": extended,
        "keyFormat": source.key_format.name,
        "valueFormat": source.value_format.name,
        "topic": source.topic,
        "partitions": cluster.topics.partitions(source.topic) or 0 if extended else source.partitions,
        "replication": cluster.topics.replicas(source.topic),
        "statement": source.statement_text,
        "queryOffsetSummaries": [_offsets(query, cluster) for query in writing] if extended else [],
        "sourceConstraints": [],
        "clusterStatistics": [_statistic("total-messages", written)] if written else [],
        "clusterErrorStats": [_statistic("consumer-failed-messages", failed)] if failed else [],
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


def _statistics(written: int, last_ms: int) -> str:
    last = datetime.fromtimestamp(last_ms / MILLISECONDS, UTC).isoformat(timespec="milliseconds")
    return f"{_DEPRECATED}total-messages: {written:9d}     last-message: {last.replace('+00:00', 'Z')}"


def _statistic(name: str, value: float) -> dict[str, Any]:
    now = int(time.time() * MILLISECONDS)
    return {"name": name, "host": "embedded:0", "value": float(value), "timestamp": now}


def _offsets(query: RunningQuery, cluster: Cluster) -> dict[str, Any]:
    positions = query.worker.positions()
    summaries = []
    for topic in sorted({source.topic for source in sources_of_plan(query.definition.plan.input)}):
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
