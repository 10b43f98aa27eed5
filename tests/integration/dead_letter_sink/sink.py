"""A dead letter sink of a test's own, whoever writes for it: its topic, table, dead letters and state."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest
from confluent_kafka import Consumer, Message, Producer
from psycopg import sql

from pipeline.clients.kafka import Kafka
from tests.conftest import Stack

WAIT_SECONDS = 90.0

CONNECTOR_CLASS = "useranalytics.connect.DeadLetterSinkConnector"
DELEGATES = {
    "debezium": "io.debezium.connector.jdbc.JdbcSinkConnector",
    "copy": "useranalytics.copy.CopySinkConnector",
}

TABLE = """CREATE TABLE {} (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    quantity integer CONSTRAINT {} CHECK (quantity > 0),
    metadata jsonb
)"""

Field = Mapping[str, Any]

FIELDS: tuple[Field, ...] = (
    {"field": "id", "type": "int64", "optional": False},
    {"field": "name", "type": "string", "optional": True},
    {"field": "quantity", "type": "int64", "optional": True},
    {"field": "metadata", "type": "string", "optional": True},
)


@dataclass
class Sink:
    """One connector with a topic, a table and a dead letter queue of its own.

    ``settings`` are the connector's beyond those that every test has; ``table`` may name its CHECK constraint.
    """

    stack: Stack
    delegate: str = DELEGATES["debezium"]
    table: str = TABLE
    settings: dict[str, str] = field(default_factory=dict)
    name: str = field(default_factory=lambda: f"sink_{uuid.uuid4().hex[:12]}")

    @property
    def dead_letter_topic(self) -> str:
        return f"dlq.{self.name}"

    @property
    def kafka(self) -> Kafka:
        return Kafka({"bootstrap.servers": self.stack.kafka_bootstrap_servers})

    @property
    def url(self) -> str:
        return f"{self.stack.connect_url}/connectors/{self.name}"

    def configuration(self) -> dict[str, str]:
        return {
            "connector.class": CONNECTOR_CLASS,
            "delegate.class": self.delegate,
            "name": self.name,
            "tasks.max": "1",
            "topics": self.name,
            "collection.name.format": self.name,
            "connection.url": "${env:PG_JDBC_URL}&reWriteBatchedInserts=true&stringtype=unspecified",
            "connection.username": "${env:PG_USER}",
            "connection.password": "${env:PG_PASSWORD}",
            "insert.mode": "upsert",
            "primary.key.mode": "record_value",
            "primary.key.fields": "id",
            "schema.evolution": "none",
            "use.reduction.buffer": "true",
            "batch.size": "2000",
            "consumer.override.max.poll.records": "2000",
            "consumer.override.auto.offset.reset": "earliest",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "true",
            "errors.tolerance": "all",
            "errors.deadletterqueue.topic.name": self.dead_letter_topic,
            "errors.deadletterqueue.topic.replication.factor": "1",
            "errors.deadletterqueue.context.headers.enable": "true",
            "producer.override.interceptor.classes": "useranalytics.connect.LetterReceipts",
            "refuse.null.keys": "true",
            "refuse.null.values": "true",
            **self.settings,
        }

    def create(self) -> None:
        """Create topic, table and connector."""
        self.kafka.create_topic(self.name, 1, 1, {})
        with self.connect() as connection:
            connection.execute(
                sql.SQL(self.table).format(sql.Identifier(self.name), sql.Identifier(f"{self.name}_is_positive"))
            )
        self.configure()

    def configure(self) -> None:
        """Create or change the connector."""
        httpx.put(f"{self.url}/config", json=self.configuration(), timeout=60).raise_for_status()

    def restart(self) -> None:
        """Restart the connector and its tasks."""
        httpx.post(f"{self.url}/restart", params={"includeTasks": "true"}, timeout=60).raise_for_status()

    def delete(self) -> None:
        """Delete the connector."""
        httpx.delete(self.url, timeout=30).raise_for_status()

    def execute(self, statement: str) -> list[tuple[Any, ...]]:
        """Run SQL in which {} stands for the table, and return its rows."""
        with self.connect() as connection:
            done = connection.execute(sql.SQL(statement).format(sql.Identifier(self.name)))
            return done.fetchall() if done.description else []

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.stack.postgres_dsn, autocommit=True)

    def produce(
        self, rows: Sequence[dict[str, Any]], fields: Sequence[Field] = FIELDS, *, keyless: bool = False
    ) -> None:
        """Produce rows as JSON with their schema."""
        schema = {"type": "struct", "optional": False, "fields": fields}
        producer = Producer({"bootstrap.servers": self.stack.kafka_bootstrap_servers, "linger.ms": 50})
        for row in rows:
            value = json.dumps({"schema": schema, "payload": row})
            producer.produce(self.name, key=None if keyless else str(row["id"]), value=value)
            producer.poll(0)
        assert producer.flush(60) == 0

    def produce_bytes(self, value: bytes) -> None:
        """Produce a record as it is, such as one that no converter reads."""
        producer = Producer({"bootstrap.servers": self.stack.kafka_bootstrap_servers})
        producer.produce(self.name, key="1", value=value)
        assert producer.flush(60) == 0

    def committed(self) -> int:
        """Return the offset of the next record that the sink would read after a restart."""
        return self.kafka.committed(f"connect-{self.name}", self.name).get(0, 0)

    def await_rows(self, columns: str, expected: list[tuple[Any, ...]]) -> None:
        """Wait until these columns of the table hold exactly this, in order of the first one."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (found := self.execute(f"SELECT {columns} FROM {{}} ORDER BY 1")) != expected:
            if time.monotonic() > deadline:
                pytest.fail(f"{found} instead of {expected}; {self.status()}")
            time.sleep(0.1)

    def await_ids(self, expected: set[int]) -> None:
        """Wait until the table holds exactly the rows with these ids."""
        self.await_rows("id", [(number,) for number in sorted(expected)])

    def end_waiting_sessions(self) -> bool:
        """End the session in which the sink waits for a lock, as an administrator would; return whether it waited."""
        with self.connect() as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE wait_event_type = 'Lock' AND query LIKE %s",
                (f"%{self.name}%",),
            )
            return ended.rowcount > 0

    def metrics(self) -> dict[str, float]:
        """Return what the JMX exporter tells of this sink: totals by name, and records refused by SQLState."""
        servers = json.loads(self.stack.pipeline("status", "--json").stdout)["servers"]
        url = next(server["metrics_url"] for server in servers if server["name"] == "connect")
        labels = rf'connector="{self.name}",(?:sqlstate="(\w+)",)?start="\d+",?'
        pattern = rf"^dead_letter_sink_(\w+)_total\{{{labels}\}} (\S+)$"
        found = re.findall(pattern, httpx.get(url, timeout=30).text, re.MULTILINE)
        return {state or name: float(value) for name, state, value in found}

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = httpx.get(f"{self.url}/status", timeout=30).json()
        return status

    def await_failure(self) -> str:
        """Wait until the task has failed, and return its trace."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            for task in self.status().get("tasks", []):
                if task["state"] == "FAILED":
                    return str(task["trace"])
            time.sleep(0.1)
        pytest.fail(f"the task has not failed: {self.status()}")

    def dead_letters(self, expected: int) -> list[dict[str, Any]]:
        """Return what the dead letter queue holds once it has ``expected`` letters and no more come."""
        consumer = Consumer(
            {
                "bootstrap.servers": self.stack.kafka_bootstrap_servers,
                "group.id": uuid.uuid4().hex,
                "auto.offset.reset": "earliest",
            }
        )
        consumer.subscribe([self.dead_letter_topic])
        letters: list[dict[str, Any]] = []
        deadline = time.monotonic() + WAIT_SECONDS
        try:
            while time.monotonic() < deadline:
                message = consumer.poll(1.0)
                if message is not None and message.error() is None:
                    letters.append(_letter(message))
                elif message is None and len(letters) >= expected:
                    return letters
        finally:
            consumer.close()
        return letters


def _letter(message: Message) -> dict[str, Any]:
    headers: list[tuple[str, bytes]] = message.headers() or []
    prefix = "__connect.errors."
    letter: dict[str, Any] = {name.removeprefix(prefix): value.decode() for name, value in headers}
    value = message.value() or b"{}"
    return {**letter, "row": json.loads(value).get("payload") if value.startswith(b"{") else None}


def row(number: int, **changes: Any) -> dict[str, Any]:
    """A row that fits the table, but for the changes."""
    return {"id": number, "name": f"name {number}", "quantity": 1, "metadata": '{"a": 1}'} | changes
