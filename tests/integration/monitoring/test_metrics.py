"""What the servers and the exporter tell Prometheus, on real servers."""

from __future__ import annotations

import json
from functools import partial

import psycopg
import requests
from confluent_kafka import Producer

from pipeline.waiting import wait_until
from tests.conftest import read_environment
from tests.integration.monitoring.exporter import Monitored
from tests.integration.monitoring.sinks import paused, without_table


def answers_with(url: str, text: str) -> bool:
    return text in requests.get(url, timeout=20).text


def test_every_server_with_metrics_says_where_and_answers_there(monitored: Monitored) -> None:
    status = json.loads(monitored.stack.pipeline("status", "--json").stdout)
    urls = {server["name"]: server["metrics_url"] for server in status["servers"]}
    assert urls.pop("postgres") == ""
    environment = read_environment(monitored.stack.state_dir / "environment")
    assert {name for name in environment if name.endswith("_METRICS_URL")} == {
        "PIPELINE_KAFKA_METRICS_URL",
        "PIPELINE_SCHEMA_REGISTRY_METRICS_URL",
        "PIPELINE_CONNECT_METRICS_URL",
        "PIPELINE_KSQLDB_METRICS_URL",
    }
    exported = monitored.stack.pipeline("env").stdout
    expected = {
        "kafka": 'kafka_topic_records_in_total{topic="user-events"}',
        "registry": "agroal_active_count",
        "connect": 'connect_worker_tasks{connector="user-events",state="running"} 2.0',
        "ksql": 'ksql_query_state{query="CTAS_USER_STATS_5",state="RUNNING"} 1.0',
    }
    assert monitored.stack.pipeline("produce", "--events", "100").returncode == 0
    assert urls.keys() == expected.keys()
    for name, text in expected.items():
        assert urls[name] in exported
        wait_until(partial(answers_with, urls[name], text), awaiting=f"{text} at {urls[name]}", timeout_seconds=60)


def test_the_exporter_tells_rows_states_and_what_verify_found(monitored: Monitored) -> None:
    assert monitored.stack.pipeline("produce", "--events", "200").returncode == 0
    assert monitored.stack.pipeline("verify").returncode == 0
    monitored.await_metric(
        *(
            f'pipeline_server_up{{server="{name}"}} 1.0'
            for name in ("kafka", "registry", "connect", "ksql", "postgres")
        ),
        'pipeline_connector_tasks{connector="user-events",state="RUNNING"} 2.0',
        'pipeline_ksql_queries{state="RUNNING"} 2.0',
        'pipeline_check_ok{kind="verify"} 1.0',
        'pipeline_check_differences{kind="verify",what="missing"} 0.0',
        'pipeline_sink_lag_seconds{connector="user-events"} 0.0',
    )


def test_the_lag_of_a_paused_sink_grows_in_seconds_and_ends_when_it_resumes(monitored: Monitored) -> None:
    def lag(kind: str) -> float:
        line = next(
            line
            for line in monitored.metrics().splitlines()
            if line.startswith(f'pipeline_sink_lag_{kind}{{connector="user-events"')
        )
        return float(line.rpartition(" ")[2])

    with paused(monitored):
        assert monitored.stack.pipeline("produce", "--events", "50", "--since", "90d").returncode == 0
        wait_until(lambda: lag("records") == 50, awaiting="50 records of lag", timeout_seconds=60)
        wait_until(lambda: lag("seconds") > 2, awaiting="two seconds of lag", timeout_seconds=60)
        assert lag("seconds") < 600  # the events are up to 90 days old; the lag is not
    monitored.await_metric(
        'pipeline_sink_lag_seconds{connector="user-events"} 0.0',
        'pipeline_sink_lag_records{connector="user-events"} 0.0',
    )


def test_dead_letters_are_told_by_reason_and_status(monitored: Monitored) -> None:
    producer = Producer({"bootstrap.servers": monitored.stack.kafka_bootstrap_servers})
    producer.produce("users", b"not avro", "someone")
    assert producer.flush(30) == 0
    reason = "not Confluent's wire format: no magic byte 0"
    monitored.await_metric(f'pipeline_dead_letters{{connector="users",reason="{reason}",status="pending"}} 1.0')


def test_a_task_that_failed_is_told_until_it_runs_again(monitored: Monitored) -> None:
    with without_table(monitored):
        monitored.await_metric('pipeline_connector_tasks{connector="users",state="FAILED"} 1.0')
    monitored.await_metric('pipeline_connector_tasks{connector="users",state="RUNNING"} 1.0')


def test_the_exporter_logs_one_json_object_a_line_without_the_password(monitored: Monitored) -> None:
    lines = [json.loads(line) for line in monitored.exporter_log.read_text().splitlines()]
    assert lines[0]["event"] == "exporter.serving"
    assert {"level", "timestamp", "address"} <= lines[0].keys()
    with psycopg.connect(monitored.stack.postgres_dsn) as connection:
        password = connection.info.password
    assert password
    assert password not in monitored.exporter_log.read_text()
