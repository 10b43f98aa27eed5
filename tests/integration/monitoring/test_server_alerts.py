"""Alerts about servers, fired and cleared by faults that are staged."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import psutil
import psycopg
import requests

from tests.accounts import process_of
from tests.faults import hanging
from tests.integration.monitoring.exporter import Monitored
from tests.integration.monitoring.prometheus import Prometheus


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
