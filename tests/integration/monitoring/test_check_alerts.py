"""Alerts about verifications and canaries, fired and cleared by faults that are staged."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg

from pipeline.waiting import wait_until
from tests.integration.monitoring.exporter import Monitored
from tests.integration.monitoring.prometheus import Prometheus
from tests.integration.monitoring.sinks import paused


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
    with paused(monitored):
        assert monitored.stack.pipeline("verify", "--canary", "--timeout", "5").returncode == 1
        prometheus.await_alert("CanaryFailed")
    assert monitored.stack.pipeline("verify", "--canary", "--timeout", "120").returncode == 0
    prometheus.await_silence("CanaryFailed")


def test_a_canary_whose_row_is_late_fires_for_the_row_and_clears_after_one_in_time(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with paused(monitored):
            monitored.await_metric('pipeline_sink_lag_seconds{connector="user-events"} 0.0')
            late = pool.submit(monitored.stack.pipeline, "verify", "--canary", "--timeout", "120")
            wait_until(
                lambda: bool(prometheus.query('pipeline_sink_lag_seconds{connector="user-events"} > 31')),
                awaiting="the canary to have waited for half a minute",
                timeout_seconds=90,
            )
        assert late.result().returncode == 0
    prometheus.await_alert("CanaryLate", stage="row")
    assert [found["metric"]["stage"] for found in prometheus.found_by("CanaryLate")] == ["row"]
    assert monitored.stack.pipeline("verify", "--canary", "--timeout", "120").returncode == 0
    prometheus.await_silence("CanaryLate")


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
