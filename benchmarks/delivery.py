"""From a full topic to rows in user_events: the sink against a consumer by hand, and against COPY from a file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import MappingProxyType

import psycopg
import requests

from benchmarks.load import measured_load
from benchmarks.results import Section, section_of_rounds
from benchmarks.rounds import Contender, interleave
from benchmarks.sizes import Sizes
from benchmarks.stack import PROJECT, Running
from benchmarks.workload import Workload, fill_topic
from pipeline.clients.connect import Connect
from pipeline.clients.kafka import Kafka
from pipeline.clients.lag import lag_records
from pipeline.declared.connectors import sink_group
from pipeline.declared.project import read_project
from pipeline.settings import Settings
from pipeline.waiting import wait_until

TABLE = "user_events"
PLAIN = "plain consumer"
POISON = 0.01
FEWER = 5
"""What is slow gets a fifth of the events: rates are of the steady state either way."""
DEBEZIUM = {"delegate.class": "io.debezium.connector.jdbc.JdbcSinkConnector"}
WAIT_SECONDS = 600.0
BLOCK_BYTES = 1 << 20
SCHEMA = PROJECT / "schemas" / "user-events-value.avsc"


def measure_delivery(running: Running, sizes: Sizes) -> Section:
    """Return rows a second of the sink and of what it is compared with, without and with poison."""
    settings = running.settings
    costs: dict[str, list[float]] = {}
    with TemporaryDirectory() as directory:
        clean = Delivery(settings, fill_topic(settings, sizes.delivery_events), Path(directory))
        few = sizes.delivery_events // FEWER
        small = Delivery(settings, fill_topic(settings, few), Path(directory))
        bad = Delivery(settings, fill_topic(settings, few, poison=POISON), Path(directory))
        contenders: dict[str, tuple[Contender, int]] = {
            PLAIN: (clean.by_hand, sizes.delivery_events),
            "plain consumer, with statistics": (lambda: clean.by_hand("--stats"), sizes.delivery_events),
            "sink": (clean.by_connect, sizes.delivery_events),
            "sink, Debezium as delegate": (lambda: small.by_connect(DEBEZIUM), few),
            "COPY from a file": (clean.by_copy, sizes.delivery_events),
            "plain consumer, 1 % poison": (bad.by_hand, few),
            "sink, 1 % poison": (bad.by_connect, few),
        }
        series = interleave(
            {
                name: costed(running, run, events, costs.setdefault(name, []))
                for name, (run, events) in contenders.items()
            },
            PLAIN,
            rounds=sizes.rounds,
            warm_ups=sizes.warm_ups,
        )
    section = section_of_rounds(
        "delivery",
        f"Delivery: {sizes.delivery_events:,} events in a topic → rows in user_events",
        series,
        baseline=PLAIN,
        unit="rows/s",
        note=(
            "From the first transaction to the last. Every run ends with the exact number of rows. The statistics that "
            "the plain consumer keeps are safe under redelivery; COPY from a file is one transaction into the same "
            f"table, what the table itself costs. Debezium and poison have {few:,} events. "
            "Processor time is that of all servers and of the consumer, median of the rounds: unlike rates it hardly "
            "depends on what else the machine does."
        ),
    )
    return replace(
        section,
        columns=(*section.columns, "µs of processor an event"),
        rows=[[*row, median(costs[str(row[0])][-sizes.rounds :])] for row in section.rows],
    )


def costed(running: Running, run: Contender, events: int, costs: list[float]) -> Contender:
    """Return the same run, which also notes how many microseconds of the processor an event took."""

    def noted() -> float:
        own = sum(os.times()[:4])
        with measured_load(running.stack) as load:
            rate = run()
        seconds = sum(load.processor_seconds.values()) + sum(os.times()[:4]) - own
        costs.append(seconds / events * 1e6)
        return rate

    return noted


def empty_tables(settings: Settings) -> None:
    """Empty both tables, and have PostgreSQL write what it has in memory, so that no run pays for another."""
    with psycopg.connect(settings.postgres_dsn.get_secret_value(), autocommit=True) as connection:
        connection.execute("TRUNCATE user_events, user_stats")
        connection.execute("CHECKPOINT")


@dataclass
class Delivery:
    """Runs that start with an empty table and end with a row for every good event of the workload."""

    settings: Settings
    workload: Workload
    directory: Path

    @property
    def _rows(self) -> Path:
        return self.directory / "rows.copy"

    def by_connect(self, changes: Mapping[str, str] = MappingProxyType({})) -> float:
        """Return the rows a second of the declared connector, with some of its settings changed."""
        connect, kafka = Connect(self.settings.connect), Kafka(self.settings.kafka_config())
        declared = next(each.config for each in read_project(PROJECT).connectors if each.name == "user-events")
        name = f"bench-{uuid.uuid4().hex[:8]}"
        empty_tables(self.settings)
        connect.put(name, {**declared, "name": name, "topics": self.workload.topic, **changes})

        wait_until(
            lambda: self._is_through(connect, kafka, name),
            awaiting="the sink to commit the last record",
            timeout_seconds=WAIT_SECONDS,
        )
        requests.delete(f"{self.settings.connect_url}/connectors/{name}", timeout=30).raise_for_status()
        return self.rate()

    def _is_through(self, connect: Connect, kafka: Kafka, name: str) -> bool:
        status = connect.status(name)
        if status is not None and status.failure:
            raise RuntimeError(status.failure)
        return lag_records(kafka, sink_group(name), self.workload.topic) == 0

    def by_hand(self, *options: str) -> float:
        """Return the rows a second of the plain consumer."""
        empty_tables(self.settings)
        command = [sys.executable, "-m", "benchmarks.plain_consumer", "--group", uuid.uuid4().hex, *options]
        command += ["--bootstrap-servers", self.settings.kafka_bootstrap_servers, "--schema", str(SCHEMA)]
        command += ["--dsn", self.settings.postgres_dsn.get_secret_value()]
        command += ["--topic", self.workload.topic, "--idle-seconds", "5"]
        done = subprocess.run(command, cwd=PROJECT, check=True, timeout=WAIT_SECONDS, stdout=subprocess.PIPE, text=True)
        refused = int(done.stdout.splitlines()[-1])
        if refused != self.workload.poisoned:
            raise RuntimeError(f"the plain consumer refused {refused} rows, not {self.workload.poisoned}")
        return self.rate()

    def by_copy(self) -> float:
        """Return the rows a second of COPY from a file, in one transaction: what the table itself costs."""
        if not self._rows.exists():
            self.by_hand()
            self._save_rows()
        empty_tables(self.settings)
        with self.connect() as connection, self._rows.open("rb") as file:
            begun = time.monotonic()
            with connection.cursor().copy(f"COPY {TABLE} FROM STDIN") as copy:
                while block := file.read(BLOCK_BYTES):
                    copy.write(block)
            return self.workload.rows / (time.monotonic() - begun)

    def _save_rows(self) -> None:
        with (
            self.connect() as connection,
            self._rows.open("wb") as file,
            connection.cursor().copy(f"COPY {TABLE} TO STDOUT") as copy,
        ):
            file.writelines(copy)

    def connect(self) -> psycopg.Connection:
        """Return a connection to the database."""
        return psycopg.connect(self.settings.postgres_dsn.get_secret_value(), autocommit=True)

    def rate(self) -> float:
        """Check that every good event has its row, and return how many came a second once they came."""
        with self.connect() as connection:
            query = (
                "SELECT count(*), extract(epoch FROM max(ingested_at) - min(ingested_at)),"
                " count(*) FILTER (WHERE ingested_at < last) FROM user_events,"
                " (SELECT max(ingested_at) AS last FROM user_events) AS newest"
            )
            rows, seconds, counted = connection.execute(query).fetchone() or (0, 0, 0)
        if rows != self.workload.rows:
            raise RuntimeError(f"{rows:,} rows of {self.workload.rows:,}: a run that is not exact has no rate")
        return float(counted / float(seconds))
