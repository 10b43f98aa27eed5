"""How long 100,000 dead letters take from their replay to their rows."""

from __future__ import annotations

import threading
import time
import uuid

from benchmarks.stack import put, running_stack
from pipeline.clients.postgres import connect
from pipeline.dead_letters.filters import Filters
from pipeline.dead_letters.repair import Repair
from pipeline.dead_letters.replay import ReplayRequest, replay
from pipeline.settings import Settings
from pipeline.waiting import wait_until
from producer.avro import encoder_for, load_schema
from producer.publisher import Publisher
from producer.registry import registered_id

LETTERS = 100_000
WAIT_SECONDS = 600.0
TOPIC = "user-events"


def main() -> None:
    """Measure on a stack of its own."""
    with running_stack(throughput=True) as running:
        settings = running.settings
        put(settings, ("topic", "schema", "table", "connector"))
        begun = time.monotonic()
        send_bad_events(settings, LETTERS)
        wait_until(lambda: letters(settings) == LETTERS, awaiting="the letters", timeout_seconds=WAIT_SECONDS)
        print(f"replay    {LETTERS:,} bad events are dead letters in {time.monotonic() - begun:.1f} s")
        print(f"replay    {LETTERS:,} letters are rows in {replay_all(settings):.1f} s")


def send_bad_events(settings: Settings, count: int) -> None:
    """Produce events that a constraint refuses."""
    schema = load_schema(f"{TOPIC}-value")
    encode = encoder_for(schema, registered_id(settings.schema_registry, f"{TOPIC}-value", schema)).encode
    publisher = Publisher(settings.kafka_config(), threading.Event())
    now = time.time_ns() // 1_000_000
    for number in range(count):
        user = f"user-{number % 500}"
        event = {"event_id": str(uuid.uuid4()), "user_id": user, "session_id": "s", "event_type": "video_watch"}
        publisher.send(TOPIC, user, encode({**event, "occurred_at": now, "device": "web", "watched_percent": 101}))
    publisher.finish()


def letters(settings: Settings) -> int:
    """Return how many dead letters the table holds."""
    with connect(settings.postgres_dsn) as connection:
        row = connection.execute("SELECT count(*) FROM dead_letter_queue").fetchone()
    return int(row[0]) if row else 0


def replay_all(settings: Settings) -> float:
    """Repair and replay every letter, and return the seconds until all have become rows."""
    request = ReplayRequest(Filters(statuses=("pending",)), Repair(sets={"watched_percent": "100"}), arguments={})
    begun = time.monotonic()
    report = replay(settings, request, timeout_seconds=WAIT_SECONDS, progress=lambda _: None, stop=threading.Event())
    seconds = time.monotonic() - begun
    if report.outcome != {"resolved": LETTERS}:
        raise RuntimeError(f"not all letters have become rows: {report.outcome}, kept {len(report.kept)}")
    return seconds


if __name__ == "__main__":
    main()
