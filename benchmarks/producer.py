"""How fast the producer is: end to end, and what each part of it costs."""

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from statistics import median
from typing import TypeVar

import requests
from confluent_kafka.admin import AdminClient, NewTopic

from access.http import Endpoint
from benchmarks.results import Cell, Chart, Section
from pipeline.settings import Settings
from producer.avro import encoder_for, load_schema
from producer.generators import Mode, generate
from producer.generators.population import Population
from producer.generators.timeline import live
from producer.publisher import Publisher, unix_milliseconds
from producer.run import ProduceRequest, produce

T = TypeVar("T")

USERS = 500
TRIES = 3
SAMPLE = 50_000
PARTITIONS = 4
MODES: tuple[Mode, ...] = ("random", "session", "anomaly")


def measure_producer(settings: Settings, events: int) -> list[Section]:
    """Return the cost of each part, and events per second end to end."""
    parts: list[list[Cell]] = [[mode, *measure_parts(mode)] for mode in MODES]
    kafka, registry = settings.kafka_bootstrap_servers, settings.schema_registry
    with own_topic(kafka, registry) as topic:
        queue_us = measure_queueing(kafka, topic, events)
        rates: dict[str, list[float]] = {
            mode: [measure_run(kafka, registry, topic, mode, events) for _ in range(TRIES)] for mode in MODES
        }
    return [
        Section(
            key="producer",
            title=f"Producer: {events:,} events until they are acknowledged",
            columns=("mode", "median events/s", "lowest", "highest"),
            rows=[[mode, median(each), min(each), max(each)] for mode, each in rates.items()],
            chart=Chart(("median events/s",), "events/s"),
            raw=rates,
        ),
        Section(
            key="producer-parts",
            title="Producer: µs an event by part",
            columns=("mode", "generate", "encode"),
            rows=parts,
            note=f"A message that is encoded already takes {queue_us:.1f} µs until it is acknowledged.",
        ),
    ]


@contextmanager
def own_topic(bootstrap_servers: str, registry: Endpoint) -> Iterator[str]:
    """Create a topic with the schema of events, and delete both in the end."""
    topic = f"bench-producer-{uuid.uuid4().hex[:8]}"
    subject = f"{registry.url}/subjects/{topic}-value"
    admin = AdminClient({"bootstrap.servers": bootstrap_servers})
    admin.create_topics([NewTopic(topic, PARTITIONS, -1)])[topic].result(30)
    try:
        schema = {"schema": json.dumps(load_schema("user-events-value"))}
        requests.post(f"{subject}/versions", json=schema, timeout=30).raise_for_status()
        yield topic
        requests.delete(subject, timeout=30)
    finally:
        admin.delete_topics([topic])[topic].result(30)


def measure_parts(mode: Mode) -> tuple[float, float]:
    """Return the microseconds it takes to generate and to encode an event."""
    encode = encoder_for(load_schema("user-events-value"), 1).encode
    stream = generate(mode, 1, Population(USERS, 1), live(datetime.now(UTC), None, unix_milliseconds))
    for event in islice(stream, SAMPLE):
        encode(event)
    batch, generating = timed(lambda: list(islice(stream, SAMPLE)))
    _, encoding = timed(lambda: [encode(event) for event in batch])
    return generating / SAMPLE * 1e6, encoding / SAMPLE * 1e6


def measure_queueing(bootstrap_servers: str, topic: str, events: int) -> float:
    """Return the microseconds per message that Kafka's client and the broker take."""
    encode = encoder_for(load_schema("user-events-value"), 1).encode
    stream = generate("random", 1, Population(USERS, 1), live(datetime.now(UTC), None, unix_milliseconds))
    messages = [(event["user_id"], encode(event)) for event in islice(stream, SAMPLE)]
    publisher = Publisher({"bootstrap.servers": bootstrap_servers}, threading.Event())
    publisher.require_topics(topic)

    def send() -> None:
        for number in range(events):
            publisher.send(topic, *messages[number % SAMPLE])
        publisher.finish()

    return timed(send)[1] / events * 1e6


def measure_run(kafka: str, registry: Endpoint, topic: str, mode: Mode, events: int) -> float:
    """Return the acknowledged events per second of one run."""
    request = ProduceRequest(
        bootstrap_servers=kafka,
        schema_registry=registry,
        topic=topic,
        events=events,
        users=USERS,
        mode=mode,
        with_users=False,
    )
    report = produce(request, stop=threading.Event())
    return report.acknowledged / report.seconds


def timed(action: Callable[[], T]) -> tuple[T, float]:
    """Return the result of an action and how many seconds it took."""
    begun = time.perf_counter()
    return action(), time.perf_counter() - begun
