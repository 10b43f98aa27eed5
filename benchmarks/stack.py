"""The embedded stack: how long it takes to start, what memory it needs, how fast its ksql engine is."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.clients.embedded import EmbeddedStack
from pipeline.clients.kafka import Kafka
from pipeline.clients.ksqldb import KsqlDb
from pipeline.clients.lag import lag_records
from pipeline.declared.files import read_files
from pipeline.deploy.all import deploy
from pipeline.plan.change import Kind
from pipeline.plan.compare import Options
from pipeline.settings import Location, Settings, load_stack_settings
from pipeline.waiting import wait_until
from producer.run import ProduceRequest, produce

PROJECT = Path(__file__).parents[1]
USERS = 5_000
WAIT_SECONDS = 300.0
MIB = 2**20

# What each query reads: its lag there says how far it is.
QUERIES: Mapping[str, str] = {"FIRST_EVENTS": "user-events", "USER_STATS": "first-events"}


@dataclass(frozen=True, slots=True)
class Running:
    """A stack that runs, where its data is, and how many seconds it took to start."""

    settings: Settings
    stack: EmbeddedStack
    directory: Path
    boot_seconds: float


@contextmanager
def running_stack(*, throughput: bool = False) -> Iterator[Running]:
    """Start a stack of its own; stop it in the end and delete its data.

    ``throughput`` gives the Java servers the compiler that suits long runs.
    """
    with TemporaryDirectory(prefix="bench-") as directory:
        location = Location(state_dir=Path(directory), project_dir=PROJECT)
        stack = EmbeddedStack(location.state_dir)
        try:
            seconds = boot(stack, throughput=throughput)
            yield Running(load_stack_settings(location), stack, location.state_dir, seconds)
        finally:
            stack.down(delete_data=True)


def boot(stack: EmbeddedStack, *, throughput: bool = False) -> float:
    """Start a stack and return how many seconds it took until every server was ready."""
    begun = time.monotonic()
    stack.up(["--throughput"] if throughput else [])
    return time.monotonic() - begun


@contextmanager
def own_stack() -> Iterator[Settings]:
    """Start a stack of its own and print how long that took and what memory it needs; stop it in the end."""
    with running_stack() as running:
        print(f"boot      everything ready in {running.boot_seconds:.1f} s")
        print_memory(running.stack, "idle")
        yield running.settings
        print_memory(running.stack, "after all that follows")


def print_memory(stack: EmbeddedStack, when: str) -> None:
    """Print the resident memory of every server."""
    servers = stack.servers()
    each = ", ".join(f"{server.name} {server.rss_bytes / MIB:,.0f}" for server in servers)
    total = sum(server.rss_bytes for server in servers) / MIB
    print(f"memory    {total:,.0f} MiB resident ({each}), {when}")


def measure_engine(settings: Settings, count: int) -> float:
    """Return how many events a second go through deduplication and statistics, from a topic that is full already."""
    put(settings, ("topic", "schema", "table"))
    request = ProduceRequest(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        schema_registry=settings.schema_registry,
        events=count,
        users=USERS,
        with_users=False,
    )
    produce(request, stop=threading.Event())
    begun = time.monotonic()
    put(settings, ("ksql",))
    kafka, ksqldb = Kafka(settings.kafka_config()), KsqlDb(settings.ksqldb)
    wait_until(lambda: is_through(kafka, ksqldb), awaiting="the engine to be through", timeout_seconds=WAIT_SECONDS)
    return count / (time.monotonic() - begun)


def is_through(kafka: Kafka, ksqldb: KsqlDb, queries: Mapping[str, str] = QUERIES) -> bool:
    """Whether the queries (what they write → the topic they read) have committed all, the first one first."""
    ids = {query.sinks[0]: query.id for query in ksqldb.queries()}
    return all(
        lag_records(kafka, f"_confluent-ksql-default_query_{ids[sink]}", topic) == 0 for sink, topic in queries.items()
    )


def put(settings: Settings, kinds: tuple[Kind, ...]) -> None:
    """Deploy the project's own declarations of these kinds."""
    for _ in deploy(read_files(PROJECT), settings, Options(kinds=kinds)):
        pass
