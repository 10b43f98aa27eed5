"""The whole pipeline: produce, deduplicate, aggregate, both tables exact; against a consumer that does it by hand."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from benchmarks.capacity import COST
from benchmarks.delivery import SCHEMA, empty_tables
from benchmarks.load import Load, measured_load
from benchmarks.results import Cell, Chart, Section, section_of_rounds
from benchmarks.rounds import interleave
from benchmarks.sizes import Sizes
from benchmarks.stack import PROJECT, USERS, Running, put
from benchmarks.workload import fill_topic
from pipeline.declared.project import read_project
from pipeline.settings import Settings
from pipeline.verify.verify import VerifyRequest, verify
from producer.run import ProduceRequest, produce

HAND = "plain consumer, with statistics"
DUPLICATES = 0.05
WAIT_SECONDS = 1_800.0
LOOK_SECONDS = 0.1
COUNTED = "SELECT coalesce(sum(total_events), 0)::bigint FROM user_stats"
ROWS = "SELECT count(*) FROM user_events"


@dataclass
class Side:
    """One way from a topic to the two tables of one database, and how many distinct events it has had."""

    settings: Settings
    topic: str
    dsn: str
    events: int = 0

    def produce(self, events: int) -> int:
        """Produce events, some of them twice, and return the number of records."""
        request = ProduceRequest(
            bootstrap_servers=self.settings.kafka_bootstrap_servers,
            schema_registry=self.settings.schema_registry,
            topic=self.topic,
            events=events,
            users=USERS,
            duplicates=DUPLICATES,
            with_users=False,
        )
        report = produce(request, stop=threading.Event())
        self.events += events
        return report.acknowledged

    def await_both_tables(self) -> None:
        """Wait until every distinct event is a row and is counted."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            looks = Retrying(
                retry=retry_if_result(lambda done: not done),
                stop=stop_after_delay(WAIT_SECONDS),
                wait=wait_fixed(LOOK_SECONDS),
            )
            # The small table first: counting rows would keep the database busy all the while.
            looks(lambda: all(connection.execute(query).fetchone() == (self.events,) for query in (COUNTED, ROWS)))


def measure_whole(running: Running, sizes: Sizes) -> list[Section]:
    """Return events a second from the first produce call until both tables are exact, and what the servers did."""
    empty_tables(running.settings)
    put(running.settings, ("topic", "schema", "table", "ksql", "connector"))
    ours = Side(running.settings, "user-events", running.settings.postgres_dsn.get_secret_value())
    loads: list[Load] = []

    def by_pipeline() -> float:
        with measured_load(running.stack) as load:
            begun = time.monotonic()
            ours.produce(sizes.whole_events)
            ours.await_both_tables()
            seconds = time.monotonic() - begun
        loads.append(load)
        account = verify(running.settings, VerifyRequest(timeout_seconds=WAIT_SECONDS))
        if not account.ok or account.rows != ours.events:
            raise RuntimeError(f"not exact: {account}")
        return sizes.whole_events / seconds

    with own_database(running.settings) as theirs:
        series = interleave(
            {HAND: lambda: by_hand(theirs, sizes.whole_events), "pipeline": by_pipeline},
            HAND,
            rounds=sizes.rounds,
            warm_ups=sizes.whole_warm_ups,
        )
    section = section_of_rounds(
        "whole",
        f"Whole pipeline: produce {sizes.whole_events:,} events → both tables exact",
        series,
        baseline=HAND,
        unit="events/s",
        note=(
            f"{DUPLICATES:.0%} of the events are sent twice; tables grow from round to round, and "
            f"{sizes.whole_warm_ups} rounds came before. `pipeline verify` proves every event, row and statistic after "
            "each round, outside the time measured."
        ),
    )
    return [section, section_of_load(loads[-1], sizes.whole_events)]


def by_hand(side: Side, events: int) -> float:
    """Return the events a second of the plain consumer, which waits for its first record when the time begins."""
    group = f"{side.topic}-consumer"
    command = [sys.executable, "-m", "benchmarks.plain_consumer", "--stats", "--group", group, "--topic", side.topic]
    command += ["--bootstrap-servers", side.settings.kafka_bootstrap_servers, "--schema", str(SCHEMA)]
    command += ["--dsn", side.dsn, "--idle-seconds", "10"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as consumer:
        assert consumer.stdout is not None
        if consumer.stdout.readline() != "assigned\n":
            raise RuntimeError("the plain consumer ended before it was assigned any partition")
        begun = time.monotonic()
        side.produce(events)
        side.await_both_tables()
        seconds = time.monotonic() - begun
        if consumer.wait(WAIT_SECONDS) != 0:
            raise RuntimeError("the plain consumer failed; the reason stands above")
    return events / seconds


@contextmanager
def own_database(settings: Settings) -> Iterator[Side]:
    """Create a database with the project's tables and a topic for the plain consumer; drop the database in the end."""
    dsn, name = settings.postgres_dsn.get_secret_value(), f"plain_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            side = Side(settings, fill_topic(settings, 0).topic, make_conninfo(dsn, dbname=name))
            with psycopg.connect(side.dsn) as own:
                for file in read_project(PROJECT).sql:
                    own.execute(file.text.encode())
            yield side
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def section_of_load(load: Load, events: int) -> Section:
    """Return what each server took of the processor while it all ran."""
    rows: list[list[Cell]] = [
        [name, seconds / load.seconds, seconds / events * 1e6, load.resident_mib[name]]
        for name, seconds in load.processor_seconds.items()
    ]
    seconds = sum(load.processor_seconds.values())
    rows.append(["all", seconds / load.seconds, seconds / events * 1e6, sum(load.resident_mib.values())])
    return Section(
        key="load",
        title="What the servers need while the whole pipeline runs",
        columns=("server", "cores", COST, "MiB resident"),
        rows=rows,
        note="The last round; the producer, which is none of the servers, is not in it.",
        chart=Chart((COST,), "µs"),
    )
