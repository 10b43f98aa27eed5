from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from prometheus_client.core import CollectorRegistry, Metric
from prometheus_client.exposition import generate_latest

from pipeline.clients.connect import ConnectorStatus, TaskStatus
from pipeline.errors import PipelineError, UnreachableError
from pipeline.exporter.exporter import Snapshot, serve
from pipeline.exporter.families import gauge
from pipeline.exporter.sources import connector_metrics


def text(*metrics: Metric) -> str:
    registry = CollectorRegistry(auto_describe=False)
    snapshot = Snapshot({"server": lambda: list(metrics)})
    snapshot.look()
    registry.register(snapshot)
    return generate_latest(registry).decode()


def test_a_server_that_stops_answering_loses_its_metrics_and_is_down() -> None:
    down = False

    def source() -> list[Metric]:
        if down:
            raise UnreachableError("gone")
        return [gauge("rows", "Rows.", 3)]

    registry = CollectorRegistry(auto_describe=False)
    snapshot = Snapshot({"postgres": source, "kafka": lambda: [gauge("topics", "Topics.", 2)]})
    registry.register(snapshot)
    snapshot.look()
    assert "\nrows 3.0" in generate_latest(registry).decode()
    down = True
    snapshot.look()
    after = generate_latest(registry).decode()
    assert 'pipeline_server_up{server="postgres"} 0.0' in after
    assert 'pipeline_server_up{server="kafka"} 1.0' in after
    assert "\ntopics 2.0" in after
    assert "\nrows" not in after


def test_a_bug_is_no_server_that_is_down() -> None:
    snapshot = Snapshot({"postgres": lambda: [gauge("rows", "Rows.", 1 // 0)]})
    with pytest.raises(ZeroDivisionError):
        snapshot.look()


def test_tasks_are_counted_by_state_and_states_that_nobody_is_in_are_zero() -> None:
    tasks = (TaskStatus(0, "FAILED", "boom"), TaskStatus(1, "RUNNING", None), TaskStatus(2, "FAILED", "boom"))
    found = text(*connector_metrics([ConnectorStatus("users", "RUNNING", None, tasks)]))
    assert 'pipeline_connector_tasks{connector="users",state="FAILED"} 2.0' in found
    assert 'pipeline_connector_tasks{connector="users",state="PAUSED"} 0.0' in found
    assert 'pipeline_connector_state{connector="users",state="RUNNING"} 1.0' in found
    assert 'pipeline_connector_state{connector="users",state="FAILED"} 0.0' in found


def test_free_space_is_told_of_the_disks_that_were_named(tmp_path: Path) -> None:
    snapshot = Snapshot({"kafka": list}, [tmp_path])
    free = next(metric for metric in snapshot.collect() if metric.name == "pipeline_disk_free_bytes")
    assert [(sample.labels, sample.value > 0) for sample in free.samples] == [({"path": str(tmp_path)}, True)]


def test_a_taken_port_is_one_line_with_the_next_step() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PipelineError, match=rf"cannot listen on 127\.0\.0\.1:{port}: .*; choose another"):
            serve(Snapshot({"kafka": list}), "127.0.0.1", port, interval_seconds=1, stop=threading.Event())
