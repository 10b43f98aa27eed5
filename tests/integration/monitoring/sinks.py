"""What tests of alerts and metrics do to sinks, and undo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests

from access.http import Endpoint
from pipeline.clients.connect import Connect
from tests.integration.monitoring.exporter import Monitored


@contextmanager
def paused(monitored: Monitored) -> Iterator[None]:
    """Let the sink of the events rest meanwhile, both of its tasks."""
    address = f"{monitored.stack.connect_url}/connectors/user-events"
    requests.put(f"{address}/pause", timeout=30).raise_for_status()
    try:
        monitored.await_metric('pipeline_connector_tasks{connector="user-events",state="PAUSED"} 2.0')
        yield
    finally:
        requests.put(f"{address}/resume", timeout=30).raise_for_status()


@contextmanager
def without_table(monitored: Monitored) -> Iterator[None]:
    """Let the sink of the profiles, which has some to write, look for a table that is not there."""
    connect = Connect(Endpoint(monitored.stack.connect_url))
    config = connect.config("users")
    assert config is not None
    connect.put("users", {**config, "collection.name.format": "no_such_table"})
    try:
        assert monitored.stack.pipeline("produce", "--events", "20").returncode == 0
        yield
    finally:
        connect.put("users", config)
