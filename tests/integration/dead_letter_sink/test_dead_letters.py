"""What the dead letter sink does with rows that PostgreSQL refuses, against real servers, whoever writes them."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import psycopg
import pytest
from confluent_kafka import Consumer, Message, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from psycopg import sql

from pipeline.waiting import wait_until
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

FIELDS = [
    {"field": "id", "type": "int64", "optional": False},
    {"field": "name", "type": "string", "optional": True},
    {"field": "quantity", "type": "int64", "optional": True},
    {"field": "metadata", "type": "string", "optional": True},
]

BAD_ROWS: dict[str, dict[str, Any]] = {
    "22P05": {"metadata": r'{"page": "\u0000"}'},
    "23514": {"quantity": -1},
    "23502": {"name": None},
    "22003": {"quantity": 2**40},
    "22021": {"name": "a\x00b"},
    "22P02": {"metadata": "no JSON"},
}


@dataclass
class Sink:
    """One connector with a topic, a table and a dead letter queue of its own."""

    stack: Stack
    delegate: str = DELEGATES["debezium"]
    name: str = field(default_factory=lambda: f"sink_{uuid.uuid4().hex[:12]}")

    @property
    def dead_letter_topic(self) -> str:
        return f"dlq.{self.name}"

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
            "refuse.null.keys": "true",
            "refuse.null.values": "true",
        }

    def create(self) -> None:
        """Create topic, table and connector."""
        admin = AdminClient({"bootstrap.servers": self.stack.kafka_bootstrap_servers})
        admin.create_topics([NewTopic(self.name, num_partitions=1, replication_factor=1)])[self.name].result(30)
        with self.connect() as connection:
            connection.execute(
                sql.SQL(TABLE).format(sql.Identifier(self.name), sql.Identifier(f"{self.name}_is_positive"))
            )
        httpx.put(f"{self.url}/config", json=self.configuration(), timeout=60).raise_for_status()

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.stack.postgres_dsn, autocommit=True)

    def produce(self, rows: list[dict[str, Any]], extra: str | None = None, *, keyless: bool = False) -> None:
        """Produce rows as JSON with their schema, with one more text field if ``extra`` names it."""
        more = [{"field": extra, "type": "string", "optional": True}] if extra else []
        schema = {"type": "struct", "optional": False, "fields": [*FIELDS, *more]}
        producer = Producer({"bootstrap.servers": self.stack.kafka_bootstrap_servers, "linger.ms": 50})
        for row in rows:
            value = json.dumps({"schema": schema, "payload": row | ({extra: "x"} if extra else {})})
            producer.produce(self.name, key=None if keyless else str(row["id"]), value=value)
            producer.poll(0)
        assert producer.flush(60) == 0

    def await_ids(self, expected: set[int]) -> None:
        """Wait until the table holds exactly the rows with these ids."""
        deadline = time.monotonic() + WAIT_SECONDS
        query = sql.SQL("SELECT id FROM {}").format(sql.Identifier(self.name))
        with self.connect() as connection:
            while True:
                found = {row[0] for row in connection.execute(query)}
                if found == expected:
                    return
                if time.monotonic() > deadline:
                    pytest.fail(f"{len(found)} rows instead of {len(expected)}; {self.status()}")
                time.sleep(0.1)

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
    return {**letter, "row": json.loads(message.value() or b"{}").get("payload")}


def _row(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": number, "name": f"name {number}", "quantity": 1, "metadata": '{"a": 1}'} | changes


@pytest.fixture(params=sorted(DELEGATES))
def sink(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Sink]:
    sink = Sink(stack, DELEGATES[request.param])
    sink.create()
    yield sink
    httpx.delete(sink.url, timeout=30).raise_for_status()


def test_each_refused_row_becomes_one_dead_letter_with_its_sqlstate_and_all_others_arrive(sink: Sink) -> None:
    bad = {number * 100 + 7: (state, BAD_ROWS[state]) for number, state in enumerate(BAD_ROWS)}
    sink.produce([_row(number, **bad[number][1]) if number in bad else _row(number) for number in range(1000)])

    sink.await_ids(set(range(1000)) - set(bad))
    letters = sink.dead_letters(len(bad))

    assert sorted(letter["row"]["id"] for letter in letters) == sorted(bad)
    for letter in letters:
        assert letter["stage"] == "TASK_PUT"
        assert letter["topic"] == sink.name
        assert letter["connector.name"] == sink.name
        assert letter["offset"] == str(letter["row"]["id"])
        assert f"SQLState {bad[letter['row']['id']][0]}: " in letter["exception.message"]


def test_a_bad_row_after_a_bad_batch_is_found_too(sink: Sink) -> None:
    sink.produce([_row(1), _row(2, quantity=-1)])
    sink.await_ids({1})
    sink.produce([_row(3, metadata="{"), _row(4), _row(5, name=None)])
    sink.await_ids({1, 4})

    assert sorted(letter["row"]["id"] for letter in sink.dead_letters(3)) == [2, 3, 5]


def test_a_missing_column_fails_the_task_with_a_message_naming_it_until_the_table_has_it(sink: Sink) -> None:
    sink.produce([_row(1)])
    sink.await_ids({1})

    sink.produce([_row(2)], extra="favourite_colour")

    trace = sink.await_failure()
    assert f"table {sink.name} has no column favourite_colour" in trace

    with sink.connect() as connection:
        connection.execute(sql.SQL("ALTER TABLE {} ADD favourite_colour text").format(sql.Identifier(sink.name)))
    sink.await_ids({1, 2})


def test_a_missing_table_fails_the_task_with_a_message_naming_it(sink: Sink) -> None:
    with sink.connect() as connection:
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(sink.name)))

    sink.produce([_row(1)])

    assert f"table {sink.name} does not exist" in sink.await_failure()


def test_a_database_that_refuses_connections_is_waited_for_without_dead_letters(sink: Sink) -> None:
    sink.produce([_row(1)])
    sink.await_ids({1})
    with sink.connect() as connection:
        table = sql.Identifier(sink.name)
        # An exclusive lock and a short lock_timeout are SQLState 55P03 in the sink's sessions.
        connection.execute(sql.SQL("ALTER ROLE CURRENT_USER SET lock_timeout = '200ms'"))
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
            with connection.transaction():
                connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table))
                sink.produce([_row(number) for number in range(2, 100)])
                connection.execute("SELECT pg_sleep(5)")
        finally:
            connection.execute(sql.SQL("ALTER ROLE CURRENT_USER RESET lock_timeout"))
    sink.await_ids(set(range(1, 100)))
    sink.produce([_row(100, quantity=-1)])

    assert [letter["row"]["id"] for letter in sink.dead_letters(1)] == [100]
    assert [task["state"] for task in sink.status()["tasks"]] == ["RUNNING"]


def test_an_ill_database_is_logged_once_a_minute_and_not_with_every_attempt(sink: Sink) -> None:
    sink.produce([_row(1)])
    sink.await_ids({1})
    log = sink.stack.state_dir / "logs" / "connect.log"
    before = log.stat().st_size
    with sink.connect() as connection, connection.transaction():
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(sink.name)))
        sink.produce([_row(2)])
        for attempt in range(4):
            wait_until(sink.end_waiting_sessions, awaiting=f"attempt {attempt}", timeout_seconds=WAIT_SECONDS)
    sink.await_ids({1, 2})

    with log.open("rb") as stream:
        stream.seek(before)
        lines = [line for line in stream.read().decode(errors="replace").splitlines() if f"[{sink.name}|" in line]
    said = [line for line in lines if " WARN " in line or " ERROR " in line]
    assert len(said) == 1
    assert "The database cannot write just now" in said[0]
    assert not any("name 2" in line for line in lines)


def test_a_row_that_only_an_index_refuses_becomes_a_dead_letter(sink: Sink) -> None:
    with sink.connect() as connection:
        connection.execute(sql.SQL("CREATE INDEX ON {} (name)").format(sql.Identifier(sink.name)))
    too_long = "".join(uuid.uuid4().hex for _ in range(500))

    sink.produce([_row(number, **({"name": too_long} if number == 50 else {})) for number in range(100)])

    sink.await_ids(set(range(100)) - {50})
    (letter,) = sink.dead_letters(1)
    assert "SQLState 54000: " in letter["exception.message"]


def test_what_a_trigger_refuses_becomes_a_dead_letter_with_its_words(sink: Sink) -> None:
    with sink.connect() as connection:
        connection.execute(
            sql.SQL(
                "CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN IF NEW.id = 7 THEN RAISE EXCEPTION 'seven is not wanted'; END IF; RETURN NEW; END $$; "
                "CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()"
            ).format(function=sql.Identifier(f"{sink.name}_refuse"), table=sql.Identifier(sink.name))
        )

    sink.produce([_row(number) for number in range(20)])

    sink.await_ids(set(range(20)) - {7})
    (letter,) = sink.dead_letters(1)
    assert "seven is not wanted" in letter["exception.message"]


def test_a_type_that_does_not_fit_fails_the_task_with_table_and_column(sink: Sink) -> None:
    with sink.connect() as connection:
        connection.execute(
            sql.SQL("ALTER TABLE {} DROP COLUMN quantity, ADD COLUMN quantity date").format(sql.Identifier(sink.name))
        )

    sink.produce([_row(1)])

    trace = sink.await_failure()
    assert "SQLState 42804" in trace
    assert sink.name in trace
    assert 'column "quantity" is of type date' in trace


def test_records_without_key_or_value_become_dead_letters_where_the_settings_say_so(sink: Sink) -> None:
    producer = Producer({"bootstrap.servers": sink.stack.kafka_bootstrap_servers})
    producer.produce(sink.name, key="1", value=None)
    assert producer.flush(30) == 0
    sink.produce([_row(2)], keyless=True)
    sink.produce([_row(3)])

    sink.await_ids({3})
    messages = sorted(letter["exception.message"] for letter in sink.dead_letters(2))
    assert messages[0].startswith("the key is null")
    assert messages[1].startswith("the value is null")


def test_the_sink_counts_what_it_did_for_jmx(sink: Sink) -> None:
    sink.produce([_row(1), _row(2, quantity=-1), _row(3, name=None), _row(4, name=None)])
    sink.await_ids({1})
    assert len(sink.dead_letters(3)) == 3
    metrics = sink.metrics()
    assert metrics["written"] == 1
    assert metrics["retried"] == 0
    assert (metrics["23514"], metrics["23502"]) == (1, 2)
    assert metrics["isolation_seconds"] > 0


def test_validation_names_the_faults_of_the_delegates_settings_too(stack: Stack) -> None:
    settings = Sink(stack).configuration() | {"delegate.class": "no.such.Sink"}
    url = f"{stack.connect_url}/connector-plugins/{CONNECTOR_CLASS}/config/validate"

    unknown_delegate = httpx.put(url, json=settings, timeout=60).raise_for_status().json()
    del settings["delegate.class"]
    wrong_size = httpx.put(url, json=settings | {"batch.size": "many"}, timeout=60).raise_for_status().json()
    fine = httpx.put(url, json=settings, timeout=60).raise_for_status().json()

    assert _faults(unknown_delegate) == {"delegate.class"}
    assert _faults(wrong_size) == {"batch.size"}
    assert _faults(fine) == set()


def _faults(validation: dict[str, Any]) -> set[str]:
    values = [config["value"] for config in validation["configs"] if config["value"]]
    return {value["name"] for value in values if value["errors"]}
