"""What the tests of `pipeline verify` share: sending events of their own, staging losses, reading accounts."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import httpx
import psycopg
from confluent_kafka import Message, Producer
from psycopg.sql import SQL, Identifier

from access.http import Endpoint
from pipeline.clients.registry import SchemaRegistry
from pipeline.waiting import wait_until
from producer.avro import encoder_for, load_schema
from tests.conftest import Stack

WAIT_SECONDS = 90


def accounts(stack: Stack, *options: str, timeout_seconds: int = 60) -> dict[str, Any]:
    """Verify, and return the accounts; the exit code must say the same."""
    outcome = stack.pipeline("verify", "--json", "--timeout", str(timeout_seconds), *options)
    assert "Traceback" not in outcome.stderr, outcome.stderr
    assert outcome.stdout, outcome.stderr
    document: dict[str, Any] = json.loads(outcome.stdout)
    assert outcome.returncode == (0 if document["ok"] else 1)
    return document


def exact(stack: Stack, *options: str) -> dict[str, Any]:
    """Wait until everything is through and proven exact, and return the accounts."""
    found = accounts(stack, *options, timeout_seconds=150)
    assert found["ok"], found["details"]
    return found


def count(stack: Stack, query: str) -> int:
    """Return the one number that a query gives."""
    with psycopg.connect(stack.postgres_dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])


class Sender:
    """Sends single events of a user, good ones by default."""

    def __init__(self, stack: Stack, user_id: str | None = None) -> None:
        self.user_id = user_id or f"u-{uuid4().hex[:8]}"
        self._config = {"bootstrap.servers": stack.kafka_bootstrap_servers}
        schema = load_schema("user-events-value")
        schema_id = SchemaRegistry(Endpoint(stack.schema_registry_url)).lookup("user-events-value", json.dumps(schema))
        assert schema_id is not None
        self._encoder = encoder_for(schema, schema_id)

    def event(self, **changes: Any) -> dict[str, Any]:
        """Return the fields of a good event, changed."""
        return {
            "event_id": str(uuid4()),
            "user_id": self.user_id,
            "session_id": "s",
            "event_type": "video_watch",
            "device": "web",
            "watched_percent": 50,
            "occurred_at": time.time_ns() // 1_000_000,
            **changes,
        }

    def encode(self, event: dict[str, Any]) -> bytes:
        """Return the event in Confluent's wire format."""
        return self._encoder.encode(event)

    def send(self, *values: dict[str, Any] | bytes | None, key: str | None = None) -> list[tuple[int, int]]:
        """Send events or raw values, and return partition and offset of each."""
        places: list[tuple[int, int]] = []

        def delivered(error: object, message: Message) -> None:
            assert error is None
            places.append((message.partition() or 0, message.offset() or 0))

        producer = Producer(self._config)
        for value in values:
            content = self.encode(value) if isinstance(value, dict) else value
            producer.produce("user-events", content, key or self.user_id, on_delivery=delivered)
            assert producer.flush(30) == 0
        return places


class Connector:
    """A connector whose positions a test changes as an operator would, by Connect's REST API."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._url = f"{stack.connect_url}/connectors/{name}"
        self._name = name

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stop the connector, and let it run again afterwards."""
        httpx.put(f"{self._url}/stop", timeout=60).raise_for_status()
        self._await("STOPPED", tasks=0)
        try:
            yield
        finally:
            httpx.put(f"{self._url}/resume", timeout=60).raise_for_status()
            self._await("RUNNING", tasks=1)

    def move_to(self, topic: str, partition: int, offset: int) -> None:
        """Set the position of a partition; the connector must be stopped."""
        place = {"kafka_topic": topic, "kafka_partition": partition}
        body = {"offsets": [{"partition": place, "offset": {"kafka_offset": offset}}]}

        def moved() -> bool:
            # Connect refuses while the tasks that it stopped are still members of the group.
            return httpx.patch(f"{self._url}/offsets", json=body, timeout=60).is_success

        wait_until(moved, awaiting="Connect to move the position", timeout_seconds=WAIT_SECONDS)

    def _await(self, state: str, tasks: int) -> None:
        def reached() -> bool:
            answer = httpx.get(f"{self._url}/status", timeout=60)
            if not answer.is_success:
                return False
            status = answer.json()
            running = [task for task in status["tasks"] if task["state"] == "RUNNING"]
            return status["connector"]["state"] == state and len(status["tasks"]) == len(running) >= tasks

        wait_until(reached, awaiting=f"connector {self._name} to be {state}", timeout_seconds=WAIT_SECONDS)


@contextmanager
def damaging(stack: Stack, *tables: str) -> Iterator[psycopg.Connection]:
    """Yield a connection on which a test may damage tables; what it did is put right afterwards."""
    with psycopg.connect(stack.postgres_dsn, autocommit=True) as connection:
        kept = {table: f"{table}_{uuid4().hex[:8]}" for table in tables}
        for table, copy in kept.items():
            connection.execute(SQL("CREATE TABLE {} AS TABLE {}").format(Identifier(copy), Identifier(table)))
        try:
            yield connection
        finally:
            for table, copy in kept.items():
                connection.execute(SQL("TRUNCATE {}").format(Identifier(table)))
                connection.execute(SQL("INSERT INTO {} TABLE {}").format(Identifier(table), Identifier(copy)))
                connection.execute(SQL("DROP TABLE {}").format(Identifier(copy)))


def await_letters(stack: Stack, places: list[tuple[int, int]]) -> list[int]:
    """Wait until the records at these places are dead letters, and return their ids in the same order."""

    def found() -> list[int] | None:
        with psycopg.connect(stack.postgres_dsn) as connection:
            rows = connection.execute(
                'SELECT id FROM unnest(%s::int[], %s::bigint[]) WITH ORDINALITY AS place (partition, "offset", number) '
                "JOIN dead_letter_queue ON (source_partition, source_offset) = (place.partition, place.offset) "
                "WHERE source_topic = 'user-events' ORDER BY number",
                (*map(list, zip(*places, strict=True)),),
            ).fetchall()
        return [number for (number,) in rows] if len(rows) == len(places) else None

    return wait_until(found, awaiting=f"{len(places)} dead letters", timeout_seconds=WAIT_SECONDS)
