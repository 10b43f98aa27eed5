"""A canary that arrives and cannot be erased."""

from __future__ import annotations

import json

import psycopg
from confluent_kafka import Producer

from tests.conftest import Stack


def test_a_canary_that_cannot_be_erased_is_recorded_and_the_next_one_erases_it(deployed: Stack) -> None:
    assert deployed.pipeline("connectors", "pause", "users").returncode == 0
    try:
        producer = Producer({"bootstrap.servers": deployed.kafka_bootstrap_servers})
        producer.produce("users", b"what the paused sink has not read", "nobody")
        assert producer.flush(30) == 0
        kept = deployed.pipeline("verify", "--canary", "--timeout", "10", "--json")
    finally:
        assert deployed.pipeline("connectors", "resume", "users").returncode == 0
    assert kept.returncode == 1, kept.stderr
    canary = json.loads(kept.stdout)["canary"]
    assert None not in {canary["row_seconds"], canary["stats_seconds"]}
    assert "sink users to write what users holds" in canary["not_erased"]
    with psycopg.connect(deployed.postgres_dsn) as connection:
        query = "SELECT ok, differences FROM pipeline_checks WHERE kind = 'canary' ORDER BY id DESC LIMIT 1"
        assert connection.execute(query).fetchone() == (True, {"lost": 0, "not_erased": 1})
        found = "SELECT FROM user_events WHERE event_id = %s"
        assert connection.execute(found, (canary["event_id"],)).fetchall() == [()]
        again = json.loads(deployed.pipeline("verify", "--canary", "--json").stdout)
        assert again["canary"]["not_erased"] is None
        assert connection.execute(found, (canary["event_id"],)).fetchall() == []
