"""From the producer to PostgreSQL on real servers: nothing lost, nothing twice, and a verification that notices."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from confluent_kafka import Producer

from access.http import Endpoint
from pipeline.clients.registry import SchemaRegistry
from pipeline.waiting import wait_until
from producer.avro import encoder_for, load_schema
from tests.accounts import exact, killed, produce, verification
from tests.conftest import ROOT, Stack


def test_events_arrive_once_and_unreadable_records_become_dead_letters(deployed: Stack) -> None:
    before = exact(deployed)
    report = produce(deployed, "--events", "2000", "--duplicates", "0.1", "--mode", "session")
    poison = Producer({"bootstrap.servers": deployed.kafka_bootstrap_servers})
    for value in (b"not avro", b"\x00\x00\x00\x99\x99unknown schema", b"\x00\x00"):
        poison.produce("user-events", value, "someone")
    assert poison.flush(30) == 0
    wait_until(
        lambda: verification(deployed, timeout_seconds=1)["dead_letters"] == before["dead_letters"] + 3,
        awaiting="three dead letters",
        timeout_seconds=60,
    )
    after = exact(deployed)
    assert report["acknowledged"] == 2000 + report["duplicates"]
    assert after["records"] - before["records"] == report["acknowledged"] + 3
    assert after["rows"] - before["rows"] == 2000
    assert after["duplicates"] - before["duplicates"] == report["duplicates"]
    with psycopg.connect(deployed.postgres_dsn) as connection:
        letters = connection.execute(
            "SELECT event_data, stage, connector FROM dead_letter_queue ORDER BY first_seen DESC LIMIT 3"
        ).fetchall()
    assert {bytes(data) for data, *_ in letters} == {b"not avro", b"\x00\x00\x00\x99\x99unknown schema", b"\x00\x00"}
    assert {tuple(rest) for _, *rest in letters} == {("VALUE_CONVERTER", "user-events")}


def test_rows_that_postgresql_refuses_become_dead_letters_and_the_others_arrive(deployed: Stack) -> None:
    before = exact(deployed)
    schema = load_schema("user-events-value")
    schema_id = SchemaRegistry(Endpoint(deployed.schema_registry_url)).lookup("user-events-value", json.dumps(schema))
    assert schema_id is not None
    encoder = encoder_for(schema, schema_id)
    user_id = f"u-{uuid4().hex[:12]}"
    good = {"session_id": "s", "event_type": "video_watch", "device": "web", "user_id": user_id}
    poison = ({"watched_percent": 101}, {"metadata": '{"page": "\\u0000"}'})
    producer = Producer({"bootstrap.servers": deployed.kafka_bootstrap_servers})
    for number in range(200):
        changes = poison[number // 100] if number % 100 == 50 else {}
        event = {**good, **changes, "event_id": str(uuid4()), "occurred_at": time.time_ns() // 1_000_000}
        producer.produce("user-events", encoder.encode(event), user_id)
    assert producer.flush(30) == 0
    after = exact(deployed)
    assert after["rows"] - before["rows"] == 198
    assert after["dead_letters"] - before["dead_letters"] == 2
    with psycopg.connect(deployed.postgres_dsn) as connection:
        reasons = connection.execute(
            "SELECT error_message FROM dead_letter_queue WHERE stage = 'TASK_PUT' AND event_key = %s", (user_id,)
        ).fetchall()
    assert {str(reason)[:14] for (reason,) in reasons} == {"SQLState 23514", "SQLState 22P05"}


@pytest.mark.parametrize("server", ["connect", "ksql"])
def test_everything_stays_exact_when_a_server_is_killed_in_the_middle(deployed: Stack, server: str) -> None:
    before = exact(deployed)
    command = ("produce", "--events", "20000", "--rate", "5000", "--duplicates", "0.1")
    producing = subprocess.Popen([sys.executable, "-m", "pipeline", *command], env=deployed.environment, cwd=ROOT)
    wait_until(
        lambda: verification(deployed, timeout_seconds=1)["rows"] > before["rows"],
        awaiting="the first rows",
        timeout_seconds=60,
    )
    killed(deployed, server)
    assert producing.wait(timeout=120) == 0
    after = exact(deployed)
    assert after["rows"] - before["rows"] == 20_000


def test_a_backfill_of_ninety_days_is_exact(deployed: Stack) -> None:
    before = exact(deployed)
    produce(deployed, "--events", "20000", "--since", "90d", "--duplicates", "0.1")
    after = exact(deployed)
    assert after["rows"] - before["rows"] == 20_000
    with psycopg.connect(deployed.postgres_dsn) as connection:
        oldest = connection.execute("SELECT now() - min(occurred_at) > interval '80 days' FROM user_events").fetchone()
    assert oldest == (True,)


def test_a_pull_query_answers_what_the_table_holds(deployed: Stack) -> None:
    produce(deployed, "--events", "20", "--user", "u-asked")
    exact(deployed)
    outcome = deployed.pipeline("query", "--json", "SELECT * FROM user_stats WHERE user_id = 'u-asked';")
    assert outcome.returncode == 0, outcome.stderr
    (row,) = [json.loads(line) for line in outcome.stdout.splitlines()]
    with psycopg.connect(deployed.postgres_dsn) as connection:
        stored = connection.execute(
            "SELECT total_events, total_spent FROM user_stats WHERE user_id = 'u-asked'"
        ).fetchone()
    assert stored == (row["TOTAL_EVENTS"], Decimal(str(row["TOTAL_SPENT"])))


def test_an_exact_pipeline_says_so(deployed: Stack) -> None:
    produce(deployed, "--events", "50")
    exact(deployed)
    printed = deployed.pipeline("verify")
    assert printed.returncode == 0
    assert "exact: nothing lost, nothing twice" in printed.stdout
