"""A whole deployment: every kind, in the order in which they need each other."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pipeline.clients.connect import Connect
from pipeline.clients.kafka import Kafka
from pipeline.clients.ksqldb import KsqlDb
from pipeline.clients.postgres import connect
from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.project import Project
from pipeline.deploy.change import KINDS, Change, Kind
from pipeline.deploy.connectors import deploy_connectors
from pipeline.deploy.ksql import deploy_ksql
from pipeline.deploy.schemas import deploy_schemas
from pipeline.deploy.tables import deploy_tables
from pipeline.deploy.topics import deploy_topics
from pipeline.settings import Settings


def deploy(
    project: Project, settings: Settings, *, kinds: Collection[Kind] = KINDS, timeout_seconds: float = 120
) -> Iterator[Change]:
    """Deploy the chosen kinds and yield a change for every object, as it is done.

    Stops at the first failure by raising it; what was yielded before is deployed, and running it again goes on.
    """
    if "topic" in kinds:
        yield from deploy_topics(Kafka(settings.kafka_config()), project.topics, settings.replication_factor)
    if "schema" in kinds:
        yield from deploy_schemas(SchemaRegistry(settings.schema_registry), project.schemas)
    if "table" in kinds:
        with connect(settings.postgres_dsn, autocommit=True) as connection:
            yield from deploy_tables(connection, project.sql)
    if "ksql" in kinds:
        ksqldb = KsqlDb(settings.ksqldb)
        with connect(settings.postgres_dsn, autocommit=True) as connection:
            yield from deploy_ksql(ksqldb, connection, project.ksql, timeout_seconds=timeout_seconds)
    if "connector" in kinds:
        yield from deploy_connectors(Connect(settings.connect), project.connectors, timeout_seconds=timeout_seconds)
