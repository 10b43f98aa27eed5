"""How long an event takes from the produce call until its row, and its user's statistics, can be read."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from statistics import quantiles

import psycopg

from benchmarks.load import Load, measured_load
from benchmarks.results import Cell, Chart, Section
from benchmarks.sizes import Sizes
from benchmarks.stack import PROJECT, Running
from pipeline.settings import Settings
from producer.avro import encoder_for, load_schema
from producer.generators import generate
from producer.generators.population import Population
from producer.generators.timeline import live
from producer.publisher import Publisher, unix_milliseconds
from producer.registry import registered_id

TOPIC = "user-events"
PROBES_A_SECOND = 20
LOOK_SECONDS = 0.002
WARM_UP_SECONDS = 3.0
WAIT_SECONDS = 60.0
TABLES = ("user_events", "user_stats")


@dataclass
class Probes:
    """Events of users that have no other event, so that the first sight of each tells when it arrived."""

    settings: Settings
    sent: dict[str, float] = field(default_factory=dict)
    seen: dict[str, dict[str, float]] = field(default_factory=lambda: {table: {} for table in TABLES})

    def run(self, seconds: float) -> None:
        """Send probes at an even pace and look for them all the while; raises TimeoutError where one never comes."""
        schema = load_schema(f"{TOPIC}-value")
        encode = encoder_for(schema, registered_id(self.settings.schema_registry, f"{TOPIC}-value", schema)).encode
        publisher = Publisher(self.settings.kafka_config(), threading.Event())
        publisher.require_topics(TOPIC)
        timeline = live(datetime.now(UTC), PROBES_A_SECOND, unix_milliseconds)
        events = list(islice(generate("random", 1, Population(1, 1), timeline), int(seconds * PROBES_A_SECOND)))
        with psycopg.connect(self.settings.postgres_dsn.get_secret_value(), autocommit=True) as connection:
            begun = time.perf_counter()
            for number, event in enumerate(events):
                while time.perf_counter() < begun + number / PROBES_A_SECOND:
                    self._look(connection)
                user = f"probe-{uuid.uuid4().hex}"
                message = encode({**event, "event_id": str(uuid.uuid4()), "user_id": user})
                self.sent[user] = time.perf_counter()
                publisher.send(TOPIC, user, message)
                publisher.serve(0)
            deadline = time.perf_counter() + WAIT_SECONDS
            while self._pending(TABLES[0]) or self._pending(TABLES[1]):
                self._look(connection)
                if time.perf_counter() > deadline:
                    raise TimeoutError(f"probes that never came: { {table: self._pending(table) for table in TABLES} }")
        publisher.finish()

    def _pending(self, table: str) -> list[str]:
        return [user for user in self.sent if user not in self.seen[table]]

    def _look(self, connection: psycopg.Connection) -> None:
        """Note which probes have come, then rest for a moment."""
        for table, seen in self.seen.items():
            pending = self._pending(table)
            if pending:
                query = f"SELECT user_id FROM {table} WHERE user_id = ANY(%s)"
                found = connection.execute(query.encode(), [pending], prepare=True).fetchall()
                now = time.perf_counter()
                seen.update({user: now for (user,) in found})
        time.sleep(LOOK_SECONDS)

    def delays(self, table: str) -> list[float]:
        """Return the milliseconds from the produce call to the first sight, but for the first seconds."""
        first = min(self.sent.values()) + WARM_UP_SECONDS
        return [(self.seen[table][user] - sent) * 1e3 for user, sent in self.sent.items() if sent >= first]


def measure_latency(running: Running, sizes: Sizes) -> list[Section]:
    """Return the latencies at each rate; everything is deployed already."""
    rows: list[list[Cell]] = []
    raw: dict[str, list[float]] = {}
    loads: dict[int, Load] = {}
    for rate in sizes.latency_rates:
        probes = Probes(running.settings)
        with measured_load(running.stack) as loads[rate], background(running, rate - PROBES_A_SECOND):
            probes.run(sizes.latency_seconds + WARM_UP_SECONDS)
        for table, what in zip(TABLES, ("row in user_events", "statistics in user_stats"), strict=True):
            delays = probes.delays(table)
            raw[f"{rate} {table}"] = delays
            rows.append([f"{rate:,} events/s: {what}", *percentiles(delays), len(delays)])
            print(
                f"  latency  {rows[-1][0]}: {', '.join(f'{value:,.0f}' for value in percentiles(delays))} ms",
                flush=True,
            )
    return [
        Section(
            key="latency",
            title="Latency: produce call → visible",
            columns=("rate and what", "p50 ms", "p95 ms", "p99 ms", "max ms", "samples"),
            rows=rows,
            note=(
                f"{PROBES_A_SECOND} probes a second among the others, each a user of its own; the producer's linger of "
                f"20 ms and looking every {LOOK_SECONDS * 1e3:g} ms are part of it."
            ),
            chart=Chart(("p50 ms", "p99 ms"), "ms"),
            raw=raw,
        ),
        _section_of_processors(loads),
    ]


def percentiles(values: Iterable[float]) -> list[float]:
    """Return p50, p95, p99 and the highest."""
    ordered = sorted(values)
    cuts = quantiles(ordered, n=100, method="inclusive")
    return [cuts[49], cuts[94], cuts[98], ordered[-1]]


@contextmanager
def background(running: Running, rate: int) -> Iterator[None]:
    """Run `pipeline produce` at a steady rate, as a process of its own that ends with the block."""
    command = [sys.executable, "-m", "pipeline", "produce", "--continuous", "--rate", str(rate), "--json"]
    environment = {"PIPELINE_STATE_DIR": str(running.directory), "PIPELINE_PROJECT_DIR": str(PROJECT)}
    with subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=PROJECT
    ) as process:
        try:
            yield
        finally:
            process.terminate()


def _section_of_processors(loads: dict[int, Load]) -> Section:
    servers = list(next(iter(loads.values())).processor_seconds)
    return Section(
        key="processors",
        title="Processor and memory by server at a steady rate",
        columns=("server", *(f"cores at {rate:,}/s" for rate in loads), *(f"MiB at {rate:,}/s" for rate in loads)),
        rows=[
            [
                name,
                *(load.processor_seconds[name] / load.seconds for load in loads.values()),
                *(load.resident_mib[name] for load in loads.values()),
            ]
            for name in servers
        ],
    )
