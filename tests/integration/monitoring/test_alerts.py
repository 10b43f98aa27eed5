"""Dashboards and alerts against a Prometheus that scrapes real servers under load."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

import psutil
import psycopg
import pytest
import requests
import yaml
from confluent_kafka import Producer

from access.http import Endpoint
from pipeline.clients.connect import Connect
from pipeline.clients.registry import SchemaRegistry
from pipeline.waiting import wait_until
from producer.avro import encoder_for, load_schema
from tests.accounts import process_of
from tests.conftest import ROOT
from tests.faults import hanging
from tests.integration.monitoring.conftest import Monitored
from tests.integration.monitoring.prometheus import Prometheus, running_prometheus
from tests.integration.monitoring.promql import grouping_labels, selectors, template_labels

DASHBOARDS = sorted((ROOT / "monitoring" / "dashboards").glob("*.json"))


@pytest.fixture(scope="module")
def prometheus(monitored: Monitored, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with running_prometheus(monitored, tmp_path_factory.mktemp("prometheus")) as running:
        yield running


@contextmanager
def load(monitored: Monitored) -> Iterator[None]:
    """Produce 50 events a second meanwhile."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "produce", "--continuous", "--rate", "50"],
        env=monitored.stack.environment,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def refused_event(monitored: Monitored) -> None:
    """Send an event that PostgreSQL refuses."""
    schema = load_schema("user-events-value")
    registry = SchemaRegistry(Endpoint(monitored.stack.schema_registry_url))
    schema_id = registry.lookup("user-events-value", json.dumps(schema))
    assert schema_id is not None
    event = {
        "event_id": str(uuid4()),
        "occurred_at": time.time_ns() // 1_000_000,
        "user_id": "u-poison",
        "session_id": "s",
        "event_type": "video_watch",
        "device": "web",
        "watched_percent": 101,
    }
    producer = Producer({"bootstrap.servers": monitored.stack.kafka_bootstrap_servers})
    producer.produce("user-events", encoder_for(schema, schema_id).encode(event), "u-poison")
    assert producer.flush(30) == 0


def targets() -> list[tuple[str, str]]:
    """Return every expression for Prometheus in a dashboard, with its legend."""
    documents = [json.loads(path.read_text()) for path in DASHBOARDS]
    return [
        (target["expr"], target.get("legendFormat", ""))
        for document in documents
        for panel in document["panels"]
        for target in panel["targets"]
        if target["datasource"]["type"] == "prometheus"
    ]


def statements() -> list[str]:
    """Return every statement for PostgreSQL in a dashboard, with Grafana's macros resolved."""
    documents = [json.loads(path.read_text()) for path in DASHBOARDS]
    texts = [
        target["rawSql"]
        for document in documents
        for panel in document["panels"]
        for target in panel["targets"]
        if target["datasource"]["type"] == "postgres"
    ]
    return [text.replace("$__timeFilter(occurred_at)", "occurred_at > now() - interval '7 days'") for text in texts]


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / "monitoring/alerts.yml").read_text())["groups"][0]["rules"]
    return found


def unknown(prometheus: Prometheus, expression: str, labels: set[str]) -> list[str]:
    """Return what an expression names that no scrape has."""
    missing, known = [], {"alertname", "alertstate"} if "ALERTS" in expression else set()
    for selector in selectors(expression):
        found = prometheus.series(selector)
        known |= {label for series in found for label in series}
        missing += [] if found or selector.startswith("ALERTS") else [selector]
    return missing + sorted((grouping_labels(expression) | labels) - known)


def test_every_metric_and_label_in_a_dashboard_or_an_alert_is_in_the_scrape(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    named = [(expression, template_labels(legend)) for expression, legend in targets()]
    named += [(rule["expr"], template_labels(rule["annotations"]["summary"])) for rule in rules()]
    assert len(named) > 60
    with load(monitored):
        refused_event(monitored)
        assert monitored.stack.pipeline("verify", "--canary", "--timeout", "60").returncode in {0, 1}
        missing: dict[str, list[str]] = {}

        def complete() -> bool:
            nonlocal missing
            found = {expression: unknown(prometheus, expression, labels) for expression, labels in named}
            missing = {expression: names for expression, names in found.items() if names}
            return not missing

        try:
            wait_until(complete, awaiting="every metric and label", timeout_seconds=120)
        finally:
            assert missing == {}
        empty = [
            expression for expression, _ in targets() if "ALERTS" not in expression and not prometheus.query(expression)
        ]
        assert empty == []


def test_every_statement_in_a_dashboard_answers_from_the_database(monitored: Monitored) -> None:
    assert monitored.stack.pipeline("produce", "--events", "300").returncode == 0
    assert monitored.stack.pipeline("verify").returncode in {0, 1}
    with psycopg.connect(monitored.stack.postgres_dsn) as connection:
        for statement in statements():
            assert connection.execute(statement).fetchall(), statement


def test_a_task_that_dies_fires_and_clears_when_it_runs_again(monitored: Monitored, prometheus: Prometheus) -> None:
    connect = Connect(Endpoint(monitored.stack.connect_url))
    config = connect.config("users")
    assert config is not None
    connect.put("users", {**config, "collection.name.format": "no_such_table"})
    try:
        assert monitored.stack.pipeline("produce", "--events", "20").returncode == 0
        prometheus.await_alert("TaskFailed", connector="users")
    finally:
        connect.put("users", config)
    prometheus.await_silence("TaskFailed")


def test_a_paused_sink_under_load_fires_and_clears_when_it_has_caught_up(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    address = f"{monitored.stack.connect_url}/connectors/user-events"
    with load(monitored):
        requests.put(f"{address}/pause", timeout=30).raise_for_status()
        prometheus.await_alert("SinkPaused", connector="user-events")
        prometheus.await_alert("SinkLagGrowing", connector="user-events")
        requests.put(f"{address}/resume", timeout=30).raise_for_status()
        prometheus.await_silence("SinkLagGrowing")
        prometheus.await_silence("SinkPaused")


def test_poison_fires_and_clears_when_no_more_of_it_comes(monitored: Monitored, prometheus: Prometheus) -> None:
    refused_event(monitored)
    prometheus.await_alert("DeadLettersArriving")
    prometheus.await_silence("DeadLettersArriving")


def test_silence_in_the_topic_fires_and_clears_when_events_come(monitored: Monitored, prometheus: Prometheus) -> None:
    prometheus.await_alert("NoEvents")
    with load(monitored):
        prometheus.await_silence("NoEvents")


def test_a_verification_that_finds_a_loss_fires_and_clears_after_an_exact_one(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    assert monitored.stack.pipeline("produce", "--events", "50").returncode == 0
    assert monitored.stack.pipeline("verify", "--timeout", "120").returncode == 0
    with psycopg.connect(monitored.stack.postgres_dsn, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM user_stats LIMIT 1")
        connection.execute("DELETE FROM user_stats WHERE user_id = (SELECT user_id FROM kept)")
        assert monitored.stack.pipeline("verify", "--timeout", "5").returncode == 1
        prometheus.await_alert("VerifyFailed")
        connection.execute("INSERT INTO user_stats SELECT * FROM kept")
    assert monitored.stack.pipeline("verify", "--timeout", "120").returncode == 0
    prometheus.await_silence("VerifyFailed")


def test_a_canary_that_does_not_arrive_fires_and_clears_after_one_that_does(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    address = f"{monitored.stack.connect_url}/connectors/user-events"
    requests.put(f"{address}/pause", timeout=30).raise_for_status()
    monitored.await_metric('pipeline_connector_tasks{connector="user-events",state="PAUSED"} 2.0')
    assert monitored.stack.pipeline("verify", "--canary", "--timeout", "5").returncode == 1
    prometheus.await_alert("CanaryFailed")
    requests.put(f"{address}/resume", timeout=30).raise_for_status()
    assert monitored.stack.pipeline("verify", "--canary", "--timeout", "120").returncode == 0
    prometheus.await_silence("CanaryFailed")


def test_servers_that_hang_fire_and_clear_when_they_answer(monitored: Monitored, prometheus: Prometheus) -> None:
    with hanging(*(process_of(monitored.stack, name) for name in ("registry", "ksql"))):
        prometheus.await_alert("TargetDown", job="registry")
        prometheus.await_alert("RegistryDown")
        prometheus.await_alert("ServerDown", server="ksql")
    for alert in ("RegistryDown", "ServerDown", "TargetDown"):
        prometheus.await_silence(alert)


def test_an_exporter_that_hangs_fires_and_clears_when_it_answers(monitored: Monitored, prometheus: Prometheus) -> None:
    with hanging(psutil.Process(monitored.exporter_pid)):
        prometheus.await_alert("ExporterMissing")
    prometheus.await_silence("ExporterMissing")


def test_a_query_that_ends_in_an_error_fires_and_clears_once_it_is_terminated(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    def execute(*statements: str) -> list[dict[str, Any]]:
        body = {"ksql": " ".join(statements), "streamsProperties": {"auto.offset.reset": "earliest"}}
        answer = requests.post(f"{monitored.stack.ksqldb_url}/ksql", json=body, timeout=60)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()
        return found

    execute(
        "CREATE STREAM sums (id STRING KEY, n DECIMAL(2, 1)) WITH"
        " (KAFKA_TOPIC='sums', PARTITIONS=1, VALUE_FORMAT='JSON');",
        "CREATE TABLE too_large AS SELECT id, SUM(n) AS total FROM sums GROUP BY id;",
    )
    try:
        execute(*["INSERT INTO sums VALUES ('a', 9.0);"] * 2)
        prometheus.await_alert("KsqlQueryInError")
    finally:
        execute("DROP TABLE too_large DELETE TOPIC;", "DROP STREAM sums DELETE TOPIC;")
    prometheus.await_silence("KsqlQueryInError")


def test_checks_that_are_too_long_ago_fire_and_clear_after_new_ones(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    assert monitored.stack.pipeline("verify", "--canary", "--timeout", "120").returncode == 0
    with psycopg.connect(monitored.stack.postgres_dsn, autocommit=True) as connection:
        connection.execute("UPDATE pipeline_checks SET ended_at = ended_at - interval '2 hours'")
    prometheus.await_alert("VerifyMissing")
    prometheus.await_alert("CanaryMissing")
    assert monitored.stack.pipeline("verify", "--canary", "--timeout", "120").returncode == 0
    prometheus.await_silence("VerifyMissing")
    prometheus.await_silence("CanaryMissing")


def test_connections_near_the_limit_fire_and_clear(monitored: Monitored, prometheus: Prometheus) -> None:
    with ExitStack() as connections:
        first = connections.enter_context(psycopg.connect(monitored.stack.postgres_dsn))
        limit, taken = first.execute(
            "SELECT current_setting('max_connections')::int, count(*) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend'"
        ).fetchall()[0]
        for _ in range(int(limit * 0.87) - taken):
            connections.enter_context(psycopg.connect(monitored.stack.postgres_dsn))
        prometheus.await_alert("PostgresConnectionsNearLimit")
    prometheus.await_silence("PostgresConnectionsNearLimit")
