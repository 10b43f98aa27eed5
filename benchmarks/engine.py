"""What the engine promises besides its rate: processor time an event, latency, memory of live keys, recovery."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from statistics import quantiles
from urllib.parse import urlsplit

import psutil
import requests
from confluent_kafka import Consumer, Producer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.results import Section
from benchmarks.stack import measure_engine, own_stack
from pipeline.settings import Settings
from pipeline.waiting import wait_until
from producer.avro import encoder_for, load_schema
from producer.generators import generate
from producer.generators.population import Population
from producer.generators.timeline import live
from producer.publisher import unix_milliseconds
from producer.registry import registered_id
from producer.request import ProduceRequest
from producer.run import produce

EVENTS_A_SECOND = 1_000
LATENCY_SECONDS = 20
SLICE_SECONDS = 0.01
WAIT_SECONDS = 900.0
STATS_TOPIC = "user-stats"
MIB = 2**20


def measure_engine_alone(events: int, keys: int) -> Section:
    """Return rate, processor time, latency, memory and recovery of both queries, on a stack without sinks."""
    with own_stack() as settings:
        before = processor_seconds(settings)
        rate = measure_engine(settings, events)
        spent = (processor_seconds(settings) - before) / events * 1e6
        percentiles = quantiles(measure_latency(settings), n=100)
        fill(settings, keys)
        resident = engine(settings).memory_info().rss / MIB
        rows = state_rows(settings)
        recovery = measure_recovery(settings)
    return Section(
        key="engine",
        title=f"Engine: {events:,} events through both queries, then {keys:,} keys",
        columns=("what", "value"),
        rows=[
            ["events/s, from a full topic to both queries committed", rate],
            ["µs of processor an event", spent],
            [f"p50 ms from event to {STATS_TOPIC} at {EVENTS_A_SECOND:,} events/s", percentiles[49] * 1e3],
            [f"p99 ms from event to {STATS_TOPIC} at {EVENTS_A_SECOND:,} events/s", percentiles[98] * 1e3],
            [f"MiB resident with {rows:,.0f} live keys", resident],
            ["s from kill -9 until the next event is counted, state restored", recovery],
        ],
    )


def processor_seconds(settings: Settings) -> float:
    """Return what the engine's process has taken of the processor."""
    times = engine(settings).cpu_times()
    return float(times.user + times.system)


def engine(settings: Settings) -> psutil.Process:
    """Return the process that listens where the engine is."""
    port = urlsplit(settings.ksqldb_url).port
    listening = (each for each in psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN)
    return psutil.Process(next(each.pid for each in listening if each.laddr[1:] == (port,)))


def measure_latency(settings: Settings) -> list[float]:
    """Return the seconds from producing an event until its user's statistics can be read, of users with one event."""
    probe = Probe(settings)
    events = islice(probe.events(), EVENTS_A_SECOND * LATENCY_SECONDS)
    begun = time.perf_counter()
    for number, (user, value) in enumerate(events):
        while time.perf_counter() < begun + number / EVENTS_A_SECOND:
            probe.read(SLICE_SECONDS / 10)
        probe.send(user, value)
    probe.read_until_all_are_there()
    return probe.delays


def measure_recovery(settings: Settings) -> float:
    """Kill the engine; return the seconds until an event that was produced then is in the statistics."""
    probe = Probe(settings)
    engine(settings).kill()
    begun = time.perf_counter()
    user, value = next(probe.events())
    probe.send(user, value)
    probe.read_until_all_are_there()
    return time.perf_counter() - begun


def fill(settings: Settings, keys: int) -> None:
    """Produce events until the engine keeps so many keys, each with its own state."""
    missing = keys - int(state_rows(settings))
    request = ProduceRequest(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        schema_registry=settings.schema_registry,
        events=max(missing, 1),
        with_users=False,
    )
    produce(request, stop=threading.Event())
    wait_until(
        lambda: state_rows(settings) >= keys, awaiting=f"{keys:,} keys in the engine", timeout_seconds=WAIT_SECONDS
    )


def state_rows(settings: Settings) -> float:
    """Return how many rows the stores of all queries hold."""
    text = requests.get(f"{settings.ksqldb_url}/metrics", timeout=30).text
    families = {family.name: family for family in text_string_to_metric_families(text)}
    return sum(sample.value for sample in families["ksql_query_state_rows"].samples)


class Probe:
    """Produces events of users that no one else has, and reads their statistics."""

    def __init__(self, settings: Settings) -> None:
        self.delays: list[float] = []
        self._sent: dict[bytes, float] = {}
        self._name = f"probe-{uuid.uuid4().hex[:8]}"
        self._producer = Producer({**settings.kafka_config(), "linger.ms": 0})
        self._consumer = Consumer(
            {**settings.kafka_config(), "group.id": self._name, "isolation.level": "read_committed"}
        )
        schema = load_schema("user-events-value")
        self._encode = encoder_for(schema, registered_id(settings.schema_registry, "user-events-value", schema)).encode
        partitions = self._consumer.list_topics(STATS_TOPIC, 30).topics[STATS_TOPIC].partitions
        ends = [
            TopicPartition(
                STATS_TOPIC, number, self._consumer.get_watermark_offsets(TopicPartition(STATS_TOPIC, number))[1]
            )
            for number in partitions
        ]
        self._consumer.assign(ends)

    def events(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield users and their only events, encoded."""
        stream = generate("random", 1, Population(1, 1), live(datetime.now(UTC), None, unix_milliseconds))
        for number, event in enumerate(stream):
            user = f"{self._name}-{number}"
            yield user.encode(), self._encode({**event, "user_id": user})

    def send(self, user: bytes, value: bytes) -> None:
        """Produce an event now."""
        self._sent[user] = time.perf_counter()
        self._producer.produce("user-events", value, user)
        self._producer.poll(0)

    def read(self, seconds: float) -> None:
        """Take note of statistics that come within a time."""
        message = self._consumer.poll(seconds)
        if message is not None and message.error() is None:
            sent = self._sent.pop(message.key() or b"", None)
            if sent is not None:
                self.delays.append(time.perf_counter() - sent)

    def read_until_all_are_there(self) -> None:
        """Wait for the statistics of every event that was sent."""
        self._producer.flush(30)
        deadline = time.monotonic() + WAIT_SECONDS
        while self._sent:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self._sent)} events are not in {STATS_TOPIC} after {WAIT_SECONDS:g} s")
            self.read(SLICE_SECONDS)
