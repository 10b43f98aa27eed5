"""Dead letters of one user, made by events that the sink refuses, and what becomes of them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import psycopg
from confluent_kafka import Producer
from psycopg.rows import dict_row

from access.http import Endpoint
from pipeline.clients.kafka import Kafka
from pipeline.clients.records import read_records
from pipeline.clients.registry import SchemaRegistry
from pipeline.waiting import wait_until
from producer.avro import encoder_for, load_schema
from tests.conftest import ROOT, Stack

RETRY_TOPIC = "user-events.retry.user-events"
WAIT_SECONDS = 90.0


@dataclass
class Letters:
    """The letters of a user whom no other test knows."""

    stack: Stack
    user: str = field(default_factory=lambda: f"u-{uuid4().hex[:12]}")

    def send(self, *events: dict[str, Any]) -> list[str]:
        """Send events of the user to the topic of events and return their ids."""
        schema = load_schema("user-events-value")
        schema_id = SchemaRegistry(Endpoint(self.stack.schema_registry_url)).lookup(
            "user-events-value", json.dumps(schema)
        )
        assert schema_id is not None
        encoder = encoder_for(schema, schema_id)
        good = {"user_id": self.user, "session_id": "s", "event_type": "video_watch", "device": "web"}
        ids = []
        for changes in events:
            event = {**good, "event_id": str(uuid4()), "occurred_at": time.time_ns() // 1_000_000, **changes}
            self.send_bytes(encoder.encode(event))
            ids.append(str(event["event_id"]))
        return ids

    def send_bytes(self, value: bytes) -> None:
        """Send any record with the user's key."""
        producer = Producer({"bootstrap.servers": self.stack.kafka_bootstrap_servers})
        headers: Any = [("trace", b"\x00\xff"), ("source", b"test")]
        producer.produce("user-events", value, self.user, headers=headers)
        assert producer.flush(30) == 0

    def forge(self, connector: str, **context: str) -> None:
        """Write to a sink's dead letters what claims to be one of the user's."""
        headers: Any = [(f"__connect.errors.{name}", value.encode()) for name, value in context.items()]
        headers.append(("__connect.errors.connector.name", connector.encode()))
        producer = Producer({"bootstrap.servers": self.stack.kafka_bootstrap_servers})
        producer.produce(f"dlq.{connector}", b"anything", self.user, headers=headers)
        assert producer.flush(30) == 0

    def fail(self, count: int, **changes: Any) -> list[str]:
        """Send events that the sink refuses, wait for their letters, and return the ids of the events."""
        expected = len(self.stored()) + count
        ids = self.send(*({"watched_percent": 101 + number, **changes} for number in range(count)))
        self.await_letters(expected)
        return ids

    def await_letters(self, count: int) -> None:
        """Wait until the user has so many letters."""
        wait_until(lambda: len(self.stored()) >= count, awaiting=f"{count} letters", timeout_seconds=WAIT_SECONDS)

    def dlq(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command on the user's letters."""
        outcome = self.stack.pipeline("dlq", command, "--user", self.user, *options)
        assert "Traceback" not in outcome.stderr, outcome.stderr
        return outcome

    def begin(self, command: str, *options: str) -> subprocess.Popen[str]:
        """Start a command on the user's letters."""
        return subprocess.Popen(
            [sys.executable, "-m", "pipeline", "dlq", command, "--user", self.user, *options],
            env=self.stack.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def stored(self) -> list[dict[str, Any]]:
        """Return the user's letters as the table has them, oldest first."""
        return self._query("SELECT * FROM dead_letter_queue WHERE event_key = convert_to(%s, 'UTF8') ORDER BY id")

    def statuses(self) -> list[str]:
        """Return the statuses of the user's letters, oldest first."""
        return [letter["status"] for letter in self.stored()]

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the user's events by id."""
        rows = self._query("SELECT event_id::text AS id, * FROM user_events WHERE user_id = %s")
        return {row["id"]: row for row in rows}

    def actions(self) -> list[dict[str, Any]]:
        """Return what was done to letters with this user as filter, oldest first."""
        return self._query("SELECT * FROM dead_letter_actions WHERE arguments ->> 'user' = %s ORDER BY id")

    def sent_again(self) -> int:
        """Return how many records of the user are in the retry topic."""
        kafka = Kafka({"bootstrap.servers": self.stack.kafka_bootstrap_servers})
        messages = read_records(kafka.config, RETRY_TOPIC, kafka.starts(RETRY_TOPIC), kafka.ends(RETRY_TOPIC))
        return sum(message.key() == self.user.encode() for message in messages)

    def _query(self, query: str) -> list[dict[str, Any]]:
        with psycopg.connect(self.stack.postgres_dsn, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), (self.user,)).fetchall()
