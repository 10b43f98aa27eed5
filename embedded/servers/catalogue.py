"""The servers of a stack, by name."""

from __future__ import annotations

from collections.abc import Iterable

from embedded.servers.connect import Connect
from embedded.servers.interface import Server, Stack
from embedded.servers.kafka import Kafka
from embedded.servers.ksql import Ksql
from embedded.servers.postgres import Postgres
from embedded.servers.registry import Registry

PORT_NAMES = (
    "kafka",
    "kafka-controller",
    "registry",
    "registry-management",
    "connect",
    "postgres",
    "ksql",
    "kafka-metrics",
    "connect-metrics",
)


def all_servers(stack: Stack) -> list[Server]:
    """Return every server, in the order in which status prints them."""
    return [Kafka(stack), Registry(stack), Connect(stack), Postgres(stack), Ksql(stack)]


def with_needed(stack: Stack, names: Iterable[str]) -> list[str]:
    """Add to the names those of the servers they cannot start without."""
    needs = {server.name: server.needs for server in all_servers(stack)}
    wanted: list[str] = []
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in wanted:
            wanted.append(name)
            pending.extend(needs[name])
    return [name for name in needs if name in wanted]
