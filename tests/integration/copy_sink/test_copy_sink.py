"""What the COPY sink writes into PostgreSQL, against real servers."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any, LiteralString

import httpx
import psycopg
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from psycopg import sql

from tests.conftest import Stack

WAIT_SECONDS = 90.0
CONNECTOR_CLASS = "useranalytics.copy.CopySinkConnector"
DAY_MS = 86_400_000

Field = dict[str, Any]


def logical(name: str, primitive: str, **parameters: str) -> Field:
    """A field's type as the JSON converter states it."""
    return {"type": primitive, "name": name, "version": 1, "parameters": parameters, "optional": True}


def plain(primitive: str) -> Field:
    return {"type": primitive, "optional": True}


CONNECT = "org.apache.kafka.connect.data"

# column, its type, the field's type, what is sent, what is then in the table
COLUMNS: list[tuple[str, str, Field, Any, Any]] = [
    ("moment", "timestamptz", logical(f"{CONNECT}.Timestamp", "int64"), 1_700_000_000_123,
     datetime(2023, 11, 14, 22, 13, 20, 123_000, UTC)),
    ("before_1970", "timestamptz", logical(f"{CONNECT}.Timestamp", "int64"), -1,
     datetime(1969, 12, 31, 23, 59, 59, 999_000, UTC)),
    ("day", "date", logical(f"{CONNECT}.Date", "int32"), 19_000, date(2022, 1, 8)),
    ("clock", "time", logical(f"{CONNECT}.Time", "int32"), 3_723_004, time_of_day(1, 2, 3, 4_000)),
    ("amount", "numeric(12, 2)", logical(f"{CONNECT}.Decimal", "bytes", scale="2"),
     base64.b64encode((-123_450).to_bytes(4, "big", signed=True)).decode(), Decimal("-1234.50")),
    ("metadata", "jsonb", logical("io.debezium.data.Json", "string"), r'{"a": "\\\n"}', {"a": "\\\n"}),
    ("tricky", "text", plain("string"), "tab\t, line\n, return\r, \\N, \\., \\\\, Grüße, 🦊", None),
    ("empty", "text", plain("string"), "", ""),
    ("absent", "text", plain("string"), None, None),
    ("content", "bytea", plain("bytes"), base64.b64encode(b"\x00\\\xff").decode(), b"\x00\\\xff"),
    ("flag", "boolean", plain("boolean"), False, False),
    ("ratio", "double precision", plain("double"), 0.1, 0.1),
    ("lowest", "bigint", plain("int64"), -(2**63), -(2**63)),
    ("highest", "bigint", plain("int64"), 2**63 - 1, 2**63 - 1),
    ("zero", "integer", plain("int32"), 0, 0),
]  # fmt: skip


@dataclass
class Sink:
    """A COPY sink with a topic and a table of its own; ``id`` is the table's first column and its key."""

    stack: Stack
    key_type: str
    columns: Sequence[tuple[str, str, Field]]
    by_record_key: bool = False
    name: str = field(default_factory=lambda: f"copy_{uuid.uuid4().hex[:12]}")

    @property
    def url(self) -> str:
        return f"{self.stack.connect_url}/connectors/{self.name}"

    def configuration(self) -> dict[str, str]:
        deleting = {
            "primary.key.mode": "record_key",
            "delete.enabled": "true",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "key.converter.schemas.enable": "true",
        }
        return {
            **(deleting if self.by_record_key else {}),
            "connector.class": CONNECTOR_CLASS,
            "tasks.max": "1",
            "topics": self.name,
            "collection.name.format": f"public.{self.name}",
            "connection.url": "${env:PG_JDBC_URL}",
            "connection.username": "${env:PG_USER}",
            "connection.password": "${env:PG_PASSWORD}",
            "primary.key.fields": "id",
            "consumer.override.auto.offset.reset": "earliest",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "true",
        }

    def prepare(self) -> None:
        """Create topic and table."""
        admin = AdminClient({"bootstrap.servers": self.stack.kafka_bootstrap_servers})
        admin.create_topics([NewTopic(self.name, num_partitions=1, replication_factor=1)])[self.name].result(30)
        columns = [sql.SQL(f"id {self.key_type} PRIMARY KEY")]
        columns += [sql.SQL(f"{name} {kind}") for name, kind, _ in self.columns]
        with psycopg.connect(self.stack.postgres_dsn, autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(self.name), sql.SQL(", ").join(columns))
            )

    def start(self) -> None:
        httpx.put(f"{self.url}/config", json=self.configuration(), timeout=60).raise_for_status()

    def produce(self, *rows: dict[str, Any] | None) -> None:
        """Produce rows, in this order and to be read together, None as a tombstone."""
        kind = {"field": "id", "type": "string", "optional": False}
        fields = [kind, *({**kind, "field": name} for name, _, kind in self.columns)]
        schema = {"type": "struct", "optional": False, "fields": fields}
        producer = Producer({"bootstrap.servers": self.stack.kafka_bootstrap_servers, "linger.ms": 10_000})
        for row in rows:
            producer.produce(self.name, None if row is None else json.dumps({"schema": schema, "payload": row}))
        assert producer.flush(60) == 0

    def produce_by_key(self, *rows: tuple[str, dict[str, Any] | None]) -> None:
        """Produce rows with the id as their key, each with a schema of the fields that it has; None deletes."""
        id_field = {"field": "id", "type": "string", "optional": False}
        producer = Producer({"bootstrap.servers": self.stack.kafka_bootstrap_servers})
        for key, row in rows:
            fields = [{**kind, "field": name} for name, _, kind in self.columns if name in (row or {})]
            value = {"schema": {"type": "struct", "optional": False, "fields": fields}, "payload": row}
            producer.produce(
                self.name,
                None if row is None else json.dumps(value),
                json.dumps({"schema": {"type": "struct", "fields": [id_field]}, "payload": {"id": key}}),
            )
        assert producer.flush(60) == 0

    def await_rows(self, expected: list[tuple[Any, ...]]) -> None:
        """Wait until the table holds exactly these rows."""
        deadline = time.monotonic() + WAIT_SECONDS
        with psycopg.connect(self.stack.postgres_dsn, autocommit=True) as connection:
            while True:
                rows = connection.execute(
                    sql.SQL("SELECT * FROM {} ORDER BY id").format(sql.Identifier(self.name))
                ).fetchall()
                if rows == expected:
                    return
                if time.monotonic() > deadline:
                    pytest.fail(f"{rows} instead of {expected}; {httpx.get(f'{self.url}/status').text}")
                time.sleep(0.1)

    def execute(self, statement: LiteralString, *arguments: object) -> None:
        """Do what another client does; {} stands for the table."""
        with psycopg.connect(self.stack.postgres_dsn, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(self.name)), arguments)

    def await_failure(self) -> str:
        """Wait until the task has failed, and return its trace."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            for task in httpx.get(f"{self.url}/status", timeout=30).json().get("tasks", []):
                if task["state"] == "FAILED":
                    return str(task["trace"])
            time.sleep(0.1)
        pytest.fail("the task has not failed")


@pytest.fixture
def numbered(stack: Stack) -> Iterator[Sink]:
    """A sink whose rows are a UUID and a number."""
    sink = Sink(stack, "uuid", [("n", "integer", plain("int32"))])
    sink.prepare()
    yield sink
    httpx.delete(sink.url, timeout=30).raise_for_status()


@pytest.fixture
def showing(numbered: Sink) -> Sink:
    """That sink, with a column for how a row came into the table: by COPY, or by INSERT from a temporary table."""
    numbered.execute("ALTER TABLE {} ADD COLUMN way text DEFAULT split_part(current_query(), ' ', 1)")
    return numbered


A, B, C, D, E = (uuid.UUID(int=number) for number in range(0xA, 0xF))


def row(key: uuid.UUID, n: int) -> dict[str, Any]:
    return {"id": str(key), "n": n}


def test_every_type_arrives_as_it_was_sent(stack: Stack) -> None:
    sink = Sink(stack, "text", [(name, kind, sent_as) for name, kind, sent_as, _, _ in COLUMNS])
    sink.prepare()
    sent = {name: value for name, _, _, value, _ in COLUMNS}
    sink.start()
    sink.produce({"id": "one", **sent})
    arrived = [sent[name] if name == "tricky" else value for name, _, _, _, value in COLUMNS]
    sink.await_rows([("one", *arrived)])
    httpx.delete(sink.url, timeout=30).raise_for_status()


def test_of_rows_with_one_key_the_last_counts_in_a_batch_and_across_batches(numbered: Sink) -> None:
    numbered.produce(row(A, 1), row(B, 1), row(A, 2))
    numbered.start()
    numbered.await_rows([(A, 2), (B, 1)])
    numbered.produce(row(B, 3), row(C, 1), row(B, 4))
    numbered.await_rows([(A, 2), (B, 4), (C, 1)])
    numbered.produce(row(A, 5))
    numbered.await_rows([(A, 5), (B, 4), (C, 1)])


def test_two_spellings_of_a_key_in_one_batch_are_one_row_and_the_last_counts(numbered: Sink) -> None:
    numbered.produce(row(A, 1), {"id": str(A).upper(), "n": 2}, row(B, 1), {"id": A.hex, "n": 3}, row(A, 4))
    numbered.start()
    numbered.await_rows([(A, 4), (B, 1)])


@pytest.mark.parametrize("spellings", [(str(A), str(A).upper()), (str(A).upper(), str(A))])
@pytest.mark.parametrize("deleted", [False, True])
def test_of_a_recent_and_a_new_spelling_of_a_key_the_last_counts(
    numbered: Sink, spellings: tuple[str, str], deleted: bool
) -> None:
    numbered.start()
    numbered.produce(row(A, 1), row(B, 1))
    numbered.await_rows([(A, 1), (B, 1)])
    if deleted:
        numbered.execute("DELETE FROM {}")
    earlier, later = spellings
    numbered.produce({"id": earlier, "n": 2}, {"id": later, "n": 3}, row(B, 2), row(C, 1), row(D, 1))
    numbered.await_rows([(A, 3), (B, 2), (C, 1), (D, 1)])


def test_of_a_batch_only_rows_of_recent_keys_are_not_copied_straight(showing: Sink) -> None:
    showing.start()
    showing.produce(row(A, 1), row(B, 1))
    showing.await_rows([(A, 1, "COPY"), (B, 1, "COPY")])
    showing.execute("DELETE FROM {} WHERE n = 1")
    showing.produce(row(A, 2), row(C, 2), row(D, 2))
    showing.await_rows([(A, 2, "INSERT"), (C, 2, "COPY"), (D, 2, "COPY")])
    showing.produce(row(A, 3), row(C, 3), row(E, 3))
    showing.await_rows([(A, 3, "INSERT"), (C, 3, "COPY"), (D, 2, "COPY"), (E, 3, "INSERT")])


def test_a_key_is_recent_until_tens_of_thousands_were_written_since(showing: Sink) -> None:
    def write(*keys: uuid.UUID, way: str) -> None:
        showing.produce(*(row(key, 0) for key in keys))
        expected.update({key: (key, 0, way) for key in keys if key not in expected})
        showing.await_rows(sorted(expected.values()))

    expected: dict[uuid.UUID, tuple[Any, ...]] = {}
    others = [uuid.UUID(int=0xF + number) for number in range(65_000)]
    showing.start()
    write(A, way="COPY")
    write(*others[:20_000], way="COPY")
    write(B, C, A, D, way="COPY")
    write(*others[20_000:], way="COPY")
    write(E, A, way="INSERT")


def test_a_batch_with_a_recent_key_is_written_as_a_whole_or_not_at_all(showing: Sink) -> None:
    showing.execute("ALTER TABLE {} ADD CHECK (n > 0)")
    showing.start()
    showing.produce(row(A, 1))
    showing.await_rows([(A, 1, "COPY")])
    showing.produce(row(A, 2), row(B, 2), row(C, 0))
    assert "violates check constraint" in showing.await_failure()
    showing.await_rows([(A, 1, "COPY")])


def test_fewer_batches_go_by_a_temporary_table_the_more_went_straight_since(showing: Sink) -> None:
    showing.start()
    expected: list[tuple[Any, ...]] = []
    ways = ["there", "INSERT", "there", "INSERT", "INSERT", "COPY", "COPY", "there", "INSERT", "COPY"]
    for number, way in enumerate(ways, start=1):
        key = uuid.UUID(int=number)
        if way == "there":
            showing.execute("INSERT INTO {} VALUES (%s, 0, 'there')", key)
        showing.produce(row(key, number))
        expected.append((key, number, way))
        showing.await_rows(expected)


def test_a_key_that_comes_and_goes_ends_as_the_last_record_of_it_says(stack: Stack) -> None:
    sink = Sink(stack, "text", [("n", "integer", plain("int32")), ("m", "integer", plain("int32"))], by_record_key=True)
    sink.prepare()
    sink.produce_by_key(("a", {"n": 1}), ("b", {"n": 1}), ("a", None), ("b", None), ("b", {"n": 2}), ("c", None))
    sink.start()
    sink.await_rows([("b", 2, None)])
    sink.produce_by_key(("b", {"n": 3}), ("d", {"n": 1, "m": 1}), ("b", {"n": 4, "m": 4}), ("d", {"n": 2}))
    sink.await_rows([("b", 4, 4), ("d", 2, 1)])
    sink.produce_by_key(("b", None), ("d", None))
    sink.await_rows([])
    httpx.delete(sink.url, timeout=30).raise_for_status()


def test_tombstones_are_skipped_unless_they_shall_delete(numbered: Sink) -> None:
    numbered.produce(row(A, 1), None, row(B, 1))
    numbered.start()
    numbered.await_rows([(A, 1), (B, 1)])


def test_columns_that_the_record_lacks_get_their_default_whether_the_row_is_new_or_not(numbered: Sink) -> None:
    numbered.execute("ALTER TABLE {} ADD COLUMN state text NOT NULL DEFAULT 'new'")
    numbered.produce(row(A, 1))
    numbered.start()
    numbered.await_rows([(A, 1, "new")])
    numbered.produce(row(A, 2), row(B, 1))
    numbered.await_rows([(A, 2, "new"), (B, 1, "new")])


def test_a_type_that_it_does_not_write_fails_the_task_naming_the_field(stack: Stack) -> None:
    sink = Sink(stack, "text", [("moment", "timestamptz", logical("io.debezium.time.MicroTimestamp", "int64"))])
    sink.prepare()
    sink.produce({"id": "one", "moment": 1})
    sink.start()
    assert "field moment has the type io.debezium.time.MicroTimestamp" in sink.await_failure()
    httpx.delete(sink.url, timeout=30).raise_for_status()


def test_validation_refuses_what_it_cannot_do(stack: Stack) -> None:
    wrong = {"connection.url": "jdbc:mysql://localhost/", "primary.key.mode": "kafka", "delete.enabled": "true"}
    settings = {**Sink(stack, "text", []).configuration(), "name": "any", **wrong}
    url = f"{stack.connect_url}/connector-plugins/{CONNECTOR_CLASS}/config/validate"
    answer = httpx.put(url, json=settings, timeout=60).raise_for_status().json()
    assert {config["value"]["name"] for config in answer["configs"] if config["value"]["errors"]} == wrong.keys()
