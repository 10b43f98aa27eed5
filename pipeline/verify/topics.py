"""The topics between producer and user_events, and the sinks that read them."""

from __future__ import annotations

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.declared.connectors import sink_group

SINK = "user-events"
EVENTS = "user-events"
RETRIES = f"{EVENTS}.retry.{SINK}"
LETTERS = f"dlq.{SINK}"
FIRST_EVENTS = "first-events"
STATS = "user-stats"
STATS_SINK = "user-stats"
LETTERS_SINK = "dead-letters"
PROFILES = "users"  # topic, table and sink
PROFILE_RETRIES = f"{PROFILES}.retry.{PROFILES}"
PROFILE_LETTERS = f"dlq.{PROFILES}"

_READERS = {EVENTS: SINK, RETRIES: SINK, LETTERS: LETTERS_SINK}


def committed_offsets(kafka: Kafka) -> dict[str, Offsets]:
    """Return how far the sinks have written: topic → partition → offset."""
    there = kafka.partitions()
    return {
        topic: kafka.committed(sink_group(connector), topic) for topic, connector in _READERS.items() if topic in there
    }
