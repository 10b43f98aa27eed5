"""The servers of one plan or deployment."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.clients.authorizer import Authorizer
from pipeline.clients.connect import Connect
from pipeline.clients.kafka import Kafka
from pipeline.clients.ksqldb import KsqlDb
from pipeline.clients.registry import SchemaRegistry
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Servers:
    """A client of each, and the settings for PostgreSQL's connections and the replication of new topics."""

    authorizer: Authorizer
    kafka: Kafka
    registry: SchemaRegistry
    ksqldb: KsqlDb
    connect: Connect
    settings: Settings


def servers_of(settings: Settings) -> Servers:
    """Return the clients; nothing is asked of a server yet."""
    return Servers(
        authorizer=Authorizer(settings.kafka_config()),
        kafka=Kafka(settings.kafka_config()),
        registry=SchemaRegistry(settings.schema_registry),
        ksqldb=KsqlDb(settings.ksqldb),
        connect=Connect(settings.connect),
        settings=settings,
    )
