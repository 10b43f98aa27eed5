"""Runs one aggregation until it is killed: run_query.py <bootstrap servers> <topic> <sink topic>."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from threading import Event

from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language import ast
from embedded.ksql.language.parser import parse
from embedded.ksql.planning.interface import SourceView
from embedded.ksql.planning.plan import Format, TimestampColumn, WindowInfo
from embedded.ksql.planning.queries import plan_query
from embedded.ksql.planning.sink import SinkRequest
from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.query_settings import query_settings
from embedded.ksql.runtime.registry import RegistryClient
from embedded.ksql.runtime.session import Cluster, QueryDefinition
from embedded.ksql.runtime.topics import Topics
from embedded.ksql.runtime.worker import QueryWorker
from embedded.ksql.types import INTEGER, STRING, Column, Schema

STATEMENT = """
CREATE TABLE totals AS SELECT who, COUNT(*) AS n, SUM(amount) AS total FROM clicks GROUP BY who EMIT CHANGES;
"""
SETTINGS = {"auto.offset.reset": "earliest", "cache.max.bytes.buffering": "0"}


SCHEMA = Schema((), (Column("WHO", STRING), Column("AMOUNT", INTEGER)))
KEY_FORMAT, VALUE_FORMAT = Format("KAFKA"), Format("JSON")


@dataclass(frozen=True, slots=True)
class Clicks:
    """The stream that the query reads."""

    topic: str
    name: str = "CLICKS"
    kind: ast.SourceKind = "STREAM"
    schema: Schema = SCHEMA
    key_format: Format = KEY_FORMAT
    value_format: Format = VALUE_FORMAT
    window: WindowInfo | None = None
    timestamp: TimestampColumn | None = None
    partitions: int = 4


@dataclass(frozen=True, slots=True)
class OneSource:
    """A catalog of one stream."""

    clicks: Clicks

    def source(self, name: str) -> SourceView | None:
        """Return the stream."""
        return self.clicks if name == self.clicks.name else None


def main() -> None:
    """Run until the process is ended."""
    query_worker(*sys.argv[1:]).start()
    Event().wait()


def query_worker(servers: str, topic: str, sink_topic: str) -> QueryWorker:
    """Return the query, not yet started."""
    create = parse(STATEMENT)[0].statement
    if not isinstance(create, ast.CreateAsSelect):
        raise TypeError(create)
    request = SinkRequest(create.name, create.kind, create.properties)
    plan = plan_query(create.query, OneSource(Clicks(topic)), LIBRARY, sink=request)
    clients = KafkaClients({"bootstrap.servers": servers})
    cluster = Cluster(clients, Topics(clients), RegistryClient(None), f"{topic}_")
    definition = QueryDefinition("CTAS_TOTALS_1", replace(plan, topic=sink_topic), query_settings(SETTINGS))
    return QueryWorker(definition, cluster)


if __name__ == "__main__":
    main()
