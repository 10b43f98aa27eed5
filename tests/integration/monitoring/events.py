"""Events that tests of alerts send."""

from __future__ import annotations

import json
import time
from uuid import uuid4

from confluent_kafka import Producer

from access.http import Endpoint
from pipeline.clients.registry import SchemaRegistry
from producer.avro import encoder_for, load_schema
from tests.integration.monitoring.exporter import Monitored


def refused_event(monitored: Monitored) -> None:
    """Send an event that PostgreSQL refuses."""
    schema = load_schema("user-events-value")
    registry = SchemaRegistry(Endpoint(monitored.stack.schema_registry_url))
    schema_id = registry.lookup("user-events-value", json.dumps(schema))
    assert schema_id is not None
    event = {
        "event_id": str(uuid4()),
        "occurred_at": time.time_ns() // 1_000_000,
        "user_id": "u-poison",
        "session_id": "s",
        "event_type": "video_watch",
        "device": "web",
        "watched_percent": 101,
    }
    producer = Producer({"bootstrap.servers": monitored.stack.kafka_bootstrap_servers})
    producer.produce("user-events", encoder_for(schema, schema_id).encode(event), "u-poison")
    assert producer.flush(30) == 0
