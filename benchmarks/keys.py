"""How the engine's rate and memory depend on how many keys an aggregation has, and on its window."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from itertools import islice

from benchmarks.engine import MIB, engine, processor_seconds, state_rows
from benchmarks.results import Cell, Section
from benchmarks.sizes import Sizes
from benchmarks.stack import PROJECT, WAIT_SECONDS, is_through, put, running_stack
from pipeline.clients.kafka import Kafka
from pipeline.clients.ksqldb import KsqlDb
from pipeline.settings import Settings
from pipeline.waiting import wait_until
from producer.avro import encoder_for, load_schema
from producer.generators import generate
from producer.generators.population import Population
from producer.generators.timeline import live
from producer.publisher import Publisher, unix_milliseconds
from producer.registry import registered_id

TOPIC = "user-events"
SOURCE = PROJECT / "ksql" / "01_user_events.sql"
PROPERTIES = {"auto.offset.reset": "earliest", "ksql.streams.cache.max.bytes.buffering": "0"}
WINDOWS = {
    "no window": "",
    "tumbling, 1 hour": "WINDOW TUMBLING (SIZE 1 HOUR)",
    "hopping, 1 hour by 15 minutes": "WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 15 MINUTES)",
    "session, 30 minutes": "WINDOW SESSION (30 MINUTES)",
}


def measure_keys(sizes: Sizes) -> Section:
    """Return events a second and memory of one COUNT by user: by keys without a window, then by window."""
    cases = [(keys, "no window") for keys in sizes.keys]
    cases += [(sizes.windowed_keys, window) for window in list(WINDOWS)[1:]]
    return Section(
        key="keys",
        title="Engine: one aggregation, by keys and window",
        columns=("keys and window", "events/s", "µs of processor an event", "rows of state", "MiB resident"),
        rows=[_measured(keys, window, max(keys, sizes.engine_events)) for keys, window in cases],
        note=(
            f"COUNT of {sizes.engine_events:,} events by user (as many events as keys where those are more), from a "
            "full topic until all is committed; an engine of its own for each row, measured once."
        ),
    )


def _measured(keys: int, window: str, events: int) -> list[Cell]:
    with running_stack() as running:
        settings = running.settings
        put(settings, ("topic", "schema"))
        _fill(settings, events, keys)
        kafka, ksqldb = Kafka(settings.kafka_config()), KsqlDb(settings.ksqldb)
        ksqldb.execute(SOURCE.read_text(encoding="utf-8"))
        spent, begun = processor_seconds(settings), time.monotonic()
        ksqldb.execute(
            f"CREATE TABLE counted AS SELECT user_id, COUNT(*) AS events FROM user_events {WINDOWS[window]} "
            "GROUP BY user_id EMIT CHANGES;",
            PROPERTIES,
        )
        wait_until(
            lambda: is_through(kafka, ksqldb, {"COUNTED": TOPIC}),
            awaiting="the engine to be through",
            timeout_seconds=WAIT_SECONDS,
        )
        rate = events / (time.monotonic() - begun)
        cost = (processor_seconds(settings) - spent) / events * 1e6
        name = f"{keys:,} keys, {window}"
        print(f"  keys     {name:48} {rate:12,.0f}", flush=True)
        return [name, rate, cost, state_rows(settings), engine(settings).memory_info().rss / MIB]


def _fill(settings: Settings, events: int, keys: int) -> None:
    """Produce events of so many users in turn."""
    schema = load_schema(f"{TOPIC}-value")
    encode = encoder_for(schema, registered_id(settings.schema_registry, f"{TOPIC}-value", schema)).encode
    publisher = Publisher(settings.kafka_config(), threading.Event())
    publisher.require_topics(TOPIC)
    stream = generate("random", 1, Population(1, 1), live(datetime.now(UTC), None, unix_milliseconds))
    for number, event in enumerate(islice(stream, events)):
        user = f"user-{number % keys}"
        publisher.send(TOPIC, user, encode({**event, "user_id": user}))
    publisher.finish()
    if publisher.failed:
        raise RuntimeError(f"{publisher.failed} events were not written: {dict(publisher.failures)}")
