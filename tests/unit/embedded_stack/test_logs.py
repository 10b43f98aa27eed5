from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog

from embedded.logs import configure_logs
from pipeline.cli.logs import configure_logs as configure_pipeline_logs


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_log_line_is_one_json_object_with_event_level_and_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PIPELINE_LOG_FORMAT", "json")
    configure_logs()
    structlog.get_logger().info("server.state", server="kafka", state="running", pid=7)
    configure_pipeline_logs()
    structlog.get_logger().warning("exporter.server_unavailable", server="kafka")
    captured = capsys.readouterr()
    (from_server,) = [json.loads(line) for line in captured.out.splitlines()]
    (from_command,) = [json.loads(line) for line in captured.err.splitlines()]
    assert from_server.items() >= {"event": "server.state", "level": "info", "server": "kafka", "pid": 7}.items()
    assert from_command.items() >= {"event": "exporter.server_unavailable", "level": "warning"}.items()
    assert from_server["timestamp"].endswith("Z")


def test_a_traceback_stays_on_its_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PIPELINE_LOG_FORMAT", "json")
    configure_logs()
    try:
        int("no such thing")
    except ValueError:
        structlog.get_logger().exception("query.failed", query="Q_1")
    (line,) = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    assert (document["query"], document["exception"][0]["exc_value"]) == (
        "Q_1",
        "invalid literal for int() with base 10: 'no such thing'",
    )


def test_people_read_lines_without_braces_and_below_the_level_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PIPELINE_LOG_FORMAT", raising=False)
    configure_logs("warning")
    structlog.get_logger().info("server.state", server="kafka")
    structlog.get_logger().warning("server.state", server="ksql")
    (line,) = capsys.readouterr().out.splitlines()
    assert "server=ksql" in line
    assert "{" not in line
