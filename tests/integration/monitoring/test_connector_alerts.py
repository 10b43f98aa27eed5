"""Alerts about connectors, fired and cleared by faults that are staged."""

from __future__ import annotations

from tests.faults import worker_without_sinks
from tests.integration.monitoring.exporter import Monitored
from tests.integration.monitoring.prometheus import Prometheus
from tests.integration.monitoring.sinks import paused, without_table
from tests.traffic import traffic


def test_a_connector_on_a_worker_without_its_plugin_fires_and_clears_when_that_worker_is_gone(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    assert prometheus.found_by("ConnectorFailed") == []
    with worker_without_sinks(monitored.stack):
        prometheus.await_alert("ConnectorFailed", state="FAILED")
    prometheus.await_silence("ConnectorFailed")
    prometheus.await_silence("TaskFailed")


def test_a_task_that_dies_fires_and_clears_when_it_runs_again(monitored: Monitored, prometheus: Prometheus) -> None:
    with without_table(monitored):
        prometheus.await_alert("TaskFailed", connector="users")
    prometheus.await_silence("TaskFailed")


def test_a_paused_sink_under_load_fires_and_clears_when_it_has_caught_up(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    with traffic(monitored.stack):
        with paused(monitored):
            prometheus.await_alert("SinkPaused", connector="user-events")
            prometheus.await_alert("SinkLagGrowing", connector="user-events")
        prometheus.await_silence("SinkLagGrowing")
        prometheus.await_silence("SinkPaused")
