"""Sources to plan queries over, declared in the dialect itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language import ast
from embedded.ksql.language.parser import parse
from embedded.ksql.planning.plan import Format, Sink, TimestampColumn, WindowInfo
from embedded.ksql.planning.queries import plan_push_query, plan_query
from embedded.ksql.planning.sink import SinkRequest
from embedded.ksql.types import Column, Schema

DECLARATIONS = """
CREATE STREAM ev (id STRING KEY, v INT, s STRING, ok BOOLEAN, m DECIMAL(8,2), a ARRAY<INT>, st STRUCT<f INT, g STRING>)
  WITH (KAFKA_TOPIC='ev', VALUE_FORMAT='JSON');
CREATE STREAM ev2 (id STRING KEY, v INT) WITH (KAFKA_TOPIC='ev2', VALUE_FORMAT='DELIMITED');
CREATE STREAM wide (id STRING KEY, w INT) WITH (KAFKA_TOPIC='wide', VALUE_FORMAT='JSON', PARTITIONS=4);
CREATE STREAM raw (id STRING KEY, v INT) WITH (KAFKA_TOPIC='raw', VALUE_FORMAT='KAFKA');
CREATE STREAM keyless (u STRING, v INT) WITH (KAFKA_TOPIC='keyless', VALUE_FORMAT='JSON');
CREATE STREAM windowed (id STRING KEY, v INT) WITH (KAFKA_TOPIC='w', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
CREATE STREAM windowed2 (id STRING KEY, v INT) WITH (KAFKA_TOPIC='w2', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
CREATE STREAM tumbled (id STRING KEY, v INT)
  WITH (KAFKA_TOPIC='tu', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='1 MINUTE');
CREATE STREAM tumbled2 (id STRING KEY, v INT)
  WITH (KAFKA_TOPIC='tu2', VALUE_FORMAT='JSON', WINDOW_TYPE='HOPPING', WINDOW_SIZE='1 MINUTE');
CREATE TABLE users (id STRING PRIMARY KEY, name STRING, pts INT) WITH (KAFKA_TOPIC='users', VALUE_FORMAT='JSON');
CREATE TABLE teams (id STRING PRIMARY KEY, boss STRING) WITH (KAFKA_TOPIC='teams', VALUE_FORMAT='JSON');
CREATE TABLE per_minute (id STRING PRIMARY KEY, n BIGINT)
  WITH (KAFKA_TOPIC='m', VALUE_FORMAT='JSON', WINDOW_TYPE='TUMBLING', WINDOW_SIZE='1 MINUTE');
"""


KAFKA = Format("KAFKA")


@dataclass(frozen=True)
class Declared:
    name: str
    kind: Literal["STREAM", "TABLE"]
    schema: Schema
    topic: str
    value_format: Format
    window: WindowInfo | None
    partitions: int
    key_format: Format = KAFKA
    timestamp: TimestampColumn | None = None


@dataclass
class Sources:
    known: dict[str, Declared] = field(default_factory=dict)

    def source(self, name: str) -> Declared | None:
        return self.known.get(name)


def declared(statement: ast.CreateSource) -> Declared:
    properties: dict[str, Any] = {name: getattr(value, "value", None) for name, value in statement.properties}
    kinds = {
        "SESSION": WindowInfo("SESSION", None),
        "TUMBLING": WindowInfo("TUMBLING", 60_000),
        "HOPPING": WindowInfo("HOPPING", 60_000),
    }
    keys = tuple(Column(column.name, column.type) for column in statement.columns if column.constraint)
    values = tuple(Column(column.name, column.type) for column in statement.columns if not column.constraint)
    return Declared(
        statement.name,
        statement.kind,
        Schema(keys, values),
        properties["KAFKA_TOPIC"],
        Format(properties["VALUE_FORMAT"]),
        kinds.get(properties.get("WINDOW_TYPE", "")),
        properties.get("PARTITIONS", 1),
    )


@pytest.fixture(scope="session")
def catalog() -> Sources:
    found = Sources()
    for parsed in parse(DECLARATIONS):
        assert isinstance(parsed.statement, ast.CreateSource)
        found.known[parsed.statement.name] = declared(parsed.statement)
    return found


@pytest.fixture(scope="session")
def plan(catalog: Sources) -> Callable[[str], Sink]:
    """Return what plans a CREATE … AS, an INSERT INTO or a push query."""

    def planned(text: str) -> Sink:
        (parsed,) = parse(text)
        match parsed.statement:
            case ast.CreateAsSelect() as create:
                request = SinkRequest(create.name, create.kind, create.properties, "THE TEXT")
                return plan_query(create.query, catalog, LIBRARY, sink=request)
            case ast.InsertSelect(target, query):
                into = catalog.source(target)
                assert into is not None
                return plan_query(query, catalog, LIBRARY, sink=SinkRequest(target, into.kind, insert_into=into))
            case ast.Query() as query:
                return plan_push_query(query, catalog, LIBRARY)
        raise AssertionError(text)

    return planned
