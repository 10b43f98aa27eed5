"""What is deployed: all servers are asked at the same time, each for everything at once where it can tell that."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from access.kafka import IAM
from pipeline.clients.postgres import connect
from pipeline.declared.connectors import Connector
from pipeline.declared.project import Project
from pipeline.declared.schemas import AvroSchema
from pipeline.errors import NotAuthorizedError
from pipeline.plan import bookkeeping
from pipeline.plan.change import Identity, Kind
from pipeline.plan.deployed import (
    Deployed,
    DeployedAcls,
    DeployedConnector,
    DeployedKsql,
    DeployedSchema,
    DeployedSql,
    DeployedTopic,
    Recorded,
)
from pipeline.plan.servers import Servers
from pipeline.plan.trial import try_out

REQUESTS_AT_ONCE = 8

K = TypeVar("K")
V = TypeVar("V")


def collect(project: Project, servers: Servers, kinds: Collection[Kind]) -> Deployed:
    """Ask for what is deployed of some kinds. Raises ServerError for the first server that cannot be asked."""
    with ThreadPoolExecutor(max_workers=len(kinds) + 1) as pool:
        database = pool.submit(_database, project, servers, kinds)
        acls = pool.submit(_acls, servers) if "acl" in kinds and project.acls else None
        topics = pool.submit(_topics, project, servers) if "topic" in kinds else None
        # Streams take their columns from the registry.
        schemas = pool.submit(_schemas, project.schemas, servers) if {"schema", "ksql"} & set(kinds) else None
        ksql = pool.submit(_ksql, servers) if "ksql" in kinds else None
        connectors = pool.submit(_connectors, project.connectors, servers) if "connector" in kinds else None
        recorded, sql = database.result()
        return Deployed(
            acls=acls.result() if acls else None,
            topics=topics.result() if topics else {},
            schemas=schemas.result() if schemas else {},
            sql=sql,
            ksql=ksql.result() if ksql else {},
            connectors=connectors.result() if connectors else {},
            recorded={identity: record for identity, record in recorded.items() if identity.kind in kinds},
        )


def in_parallel(ask: Callable[[K], V], about: Sequence[K]) -> dict[K, V]:
    """Ask one server about several things at once, and return its answers."""
    with ThreadPoolExecutor(max_workers=REQUESTS_AT_ONCE) as pool:
        return dict(zip(about, pool.map(ask, about), strict=True))


def _database(
    project: Project, servers: Servers, kinds: Collection[Kind]
) -> tuple[Mapping[Identity, Recorded], DeployedSql]:
    with connect(servers.settings.postgres_dsn, autocommit=True) as connection:
        is_known = bookkeeping.exists(connection)
        recorded = bookkeeping.read_recorded(connection) if is_known else {}
        if not {"migration", "table"} & set(kinds):
            return recorded, DeployedSql()
        ran = bookkeeping.read_migrations(connection) if is_known else {}
        return recorded, try_out(connection, project.migrations, project.sql, ran)


def _acls(servers: Servers) -> DeployedAcls | None:
    """Return what Kafka allows, None where ACLs allow nothing: without an authorizer, or to identities of IAM."""
    if servers.settings.kafka_sasl_mechanism == IAM:
        return None
    try:
        allowed = servers.authorizer.acls()
    except NotAuthorizedError as error:
        return DeployedAcls(unknown=str(error))
    return None if allowed is None else DeployedAcls(allowed)


def _topics(project: Project, servers: Servers) -> dict[str, DeployedTopic]:
    partitions = servers.kafka.partitions()
    settings = servers.kafka.topic_settings([topic.name for topic in project.topics if topic.name in partitions])
    described = {name: DeployedTopic(partitions[name], one.overrides, one.defaults) for name, one in settings.items()}
    # Of the others, it only matters that they are there.
    return {name: DeployedTopic(number) for name, number in partitions.items()} | described


def _schemas(schemas: Sequence[AvroSchema], servers: Servers) -> dict[str, DeployedSchema]:
    registry = servers.registry
    declared = {schema.subject: schema for schema in schemas}

    def ask(subject: str) -> DeployedSchema:
        holds = registry.lookup(subject, json.dumps(declared[subject].document)) is not None
        return DeployedSchema(registry.latest_schema(subject) or {}, registry.compatibility(subject), holds)

    there = registry.subjects()
    described = in_parallel(ask, [subject for subject in there if subject in declared])
    # Of the others, it only matters that they are there.
    return {subject: DeployedSchema({}, None, holds_declared=False) for subject in there} | described


def _ksql(servers: Servers) -> dict[str, DeployedKsql]:
    return {
        name: DeployedKsql(one.kind, one.topic, one.statement, one.readers, one.writers, one.columns)
        for name, one in servers.ksqldb.describe().items()
    }


def _connectors(connectors: Sequence[Connector], servers: Servers) -> dict[str, DeployedConnector]:
    described = servers.connect.describe()
    configs = {one.status.name: one.config for one in described}
    declared = {connector.name: connector.config for connector in connectors}
    # A server that fills in defaults shows more than was given to it; only then is it asked what the defaults are.
    fuller = [name for name in configs if name in declared and configs[name].keys() - declared[name].keys()]
    defaults = in_parallel(lambda name: servers.connect.defaults(configs[name]), fuller)
    return {
        one.status.name: DeployedConnector(one.config, defaults.get(one.status.name, {}), one.status.state)
        for one in described
    }
