"""What the stack needs: time to boot, memory and processor while idle, bytes on disk per million events."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.load import Load, measured_load
from benchmarks.results import Cell, Chart, Section
from benchmarks.stack import Running, boot
from pipeline.clients.embedded import EmbeddedStack

IDLE_SECONDS = 15.0
MIB = 2**20
KAFKA_TOPICS = ("user-events", "first-events", "user-stats")


def measure_boot() -> Section:
    """Return the seconds from nothing to ready: with an empty state directory, and with what a first run left."""
    rows: list[list[Cell]] = []
    for name, throughput in (("quick compiler only (default)", False), ("both compilers (--throughput)", True)):
        with TemporaryDirectory(prefix="bench-") as directory:
            stack = EmbeddedStack(Path(directory))
            seconds = []
            try:
                for _ in ("cold", "warm"):
                    seconds.append(boot(stack, throughput=throughput))
                    stack.down()
            finally:
                stack.down(delete_data=True)
            rows.append([name, *seconds])
    return Section(
        key="boot",
        title="Boot: from nothing to every server ready",
        columns=("Java's", "cold s", "warm s"),
        rows=rows,
        note="Artifacts are downloaded already; cold is an empty state directory, warm one that was used before.",
        chart=Chart(("cold s", "warm s"), "s"),
    )


def measure_idle(running: Running) -> Section:
    """Return memory and processor of every server while everything is deployed and nothing happens."""
    with measured_load(running.stack) as load:
        time.sleep(IDLE_SECONDS)
    return section_of_idle(load)


def section_of_idle(load: Load) -> Section:
    """Return a row for each server and their sum."""
    cores = {name: seconds / load.seconds for name, seconds in load.processor_seconds.items()}
    rows: list[list[Cell]] = [[name, load.resident_mib[name], cores[name]] for name in cores]
    rows.append(["all", sum(load.resident_mib.values()), sum(cores.values())])
    return Section(
        key="idle",
        title="Footprint while idle, everything deployed",
        columns=("server", "MiB resident", "cores"),
        rows=rows,
        chart=Chart(("MiB resident",), "MiB"),
    )


def measure_disk(running: Running) -> Section:
    """Return the bytes that a million events take, from what the runs before this one have left on disk."""
    with psycopg.connect(running.settings.postgres_dsn.get_secret_value()) as connection:
        connection.execute("ANALYZE")
        query = (
            "SELECT count(*), pg_table_size('user_events'), pg_indexes_size('user_events'),"
            " pg_total_relation_size('user_stats') FROM user_events"
        )
        events, table, indexes, stats = connection.execute(query).fetchone() or (0, 0, 0, 0)
    rows: list[list[Cell]] = [
        ["PostgreSQL: table user_events", table / MIB / events * 1e6],
        ["PostgreSQL: indexes of user_events", indexes / MIB / events * 1e6],
        ["PostgreSQL: user_stats, in all", stats / MIB],
    ]
    rows += [[f"Kafka: topic {topic}", topic_bytes(running, topic) / MIB / events * 1e6] for topic in KAFKA_TOPICS]
    changelogs = topic_bytes(running, "_confluent-ksql")
    rows.append(["Kafka: changelogs of the engine", changelogs / MIB / events * 1e6])
    return Section(
        key="disk",
        title="On disk: MiB per million events",
        columns=("what", "MiB"),
        rows=rows,
        note=f"Of {events:,} events; topics as producers compressed them, compaction as far as it had come.",
        chart=Chart(("MiB",), "MiB per million events"),
    )


def topic_bytes(running: Running, prefix: str) -> int:
    """Return the size of the segments of every topic with such a name."""
    segments = (running.directory / "kafka" / "data").glob(f"{prefix}*-*/*.log")
    return sum(path.stat().st_size for path in segments)
