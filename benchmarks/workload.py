"""Topics full of events, some of them poison: what every measurement of a sink starts from."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import requests
from confluent_kafka.admin import AdminClient, NewTopic

from pipeline.settings import Settings
from producer.avro import encoder_for, load_schema
from producer.generators import generate
from producer.generators.population import Population
from producer.generators.timeline import live
from producer.publisher import Publisher, unix_milliseconds
from producer.registry import registered_id

USERS = 5_000
PARTITIONS = 4

# What PostgreSQL refuses, one after the other: 22P05, 23514, 23502.
POISON: tuple[dict[str, Any], ...] = (
    {"metadata": '{"page": "\\u0000"}'},
    {"event_type": "teleport"},
    {"event_type": "purchase", "amount": None},
)


@dataclass(frozen=True, slots=True)
class Workload:
    """A topic that holds ``events`` distinct events, ``poisoned`` of which no table takes."""

    topic: str
    events: int
    poisoned: int
    partitions: int = PARTITIONS

    @property
    def rows(self) -> int:
        """How many rows it becomes."""
        return self.events - self.poisoned


def fill_topic(settings: Settings, events: int, *, poison: float = 0.0, partitions: int = PARTITIONS) -> Workload:
    """Create a topic with a subject, and fill it; ``poison`` is the share of events that PostgreSQL refuses."""
    topic = f"bench-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(30)
    schema = load_schema("user-events-value")
    url = f"{settings.schema_registry_url}/subjects/{topic}-value/versions"
    requests.post(url, json={"schema": json.dumps(schema)}, timeout=30).raise_for_status()
    encode = encoder_for(schema, registered_id(settings.schema_registry, f"{topic}-value", schema)).encode
    publisher = Publisher({"bootstrap.servers": settings.kafka_bootstrap_servers}, threading.Event())
    publisher.require_topics(topic)
    for event in poisoned(events, poison):
        publisher.send(topic, event["user_id"], encode(event))
    publisher.finish()
    if publisher.failed:
        raise RuntimeError(f"{publisher.failed} events were not written to {topic}: {dict(publisher.failures)}")
    return Workload(topic, events, int(events * poison), partitions)


def poisoned(events: int, share: float) -> Iterator[dict[str, Any]]:
    """Yield events, an exact share of them spoilt, evenly spread."""
    stream = generate("random", 1, Population(USERS, 1), live(datetime.now(UTC), None, unix_milliseconds))
    for number, event in enumerate(islice(stream, events)):
        spoilt = int((number + 1) * share)
        yield {**event, **POISON[spoilt % len(POISON)]} if spoilt > int(number * share) else event
