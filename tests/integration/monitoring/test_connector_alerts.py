"""Alerts about connectors, fired and cleared by faults that are staged."""

from __future__ import annotations

import requests

from access.http import Endpoint
from pipeline.clients.connect import Connect
from tests.faults import worker_without_sinks
from tests.integration.monitoring.events import load
from tests.integration.monitoring.exporter import Monitored
from tests.integration.monitoring.prometheus import Prometheus


def test_a_connector_on_a_worker_without_its_plugin_fires_and_clears_when_that_worker_is_gone(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    assert prometheus.found_by("ConnectorFailed") == []
    with worker_without_sinks(monitored.stack):
        prometheus.await_alert("ConnectorFailed", state="FAILED")
    prometheus.await_silence("ConnectorFailed")
    prometheus.await_silence("TaskFailed")


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
