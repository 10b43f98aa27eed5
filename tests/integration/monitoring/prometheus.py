"""A Prometheus that scrapes the stack every second, with alerts whose durations are seconds."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

from pipeline.waiting import wait_until
from tests.conftest import ROOT
from tests.integration.monitoring.conftest import Monitored, free_port
from tests.unit.containers.test_monitoring_files import required


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The server's HTTP API."""

    url: str

    def get(self, path: str, **parameters: str | list[str]) -> Any:
        answer = requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=30)
        document = answer.json()
        assert document["status"] == "success", document
        return document["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Evaluate an expression now."""
        result: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return result

    def series(self, selector: str) -> list[dict[str, str]]:
        """Return the labels of all series that match."""
        found: list[dict[str, str]] = self.get("series", **{"match[]": selector})
        return found

    def firing(self, alert: str, labels: Mapping[str, str]) -> bool:
        """Whether the alert fires for what has these labels."""
        return any(
            active["state"] == "firing"
            and active["labels"]["alertname"] == alert
            and labels.items() <= active["labels"].items()
            for active in self.get("alerts")["alerts"]
        )

    def await_alert(self, alert: str, **labels: str) -> None:
        wait_until(lambda: self.firing(alert, labels), awaiting=f"{alert} to fire for {labels}", timeout_seconds=180)

    def await_silence(self, alert: str, **labels: str) -> None:
        wait_until(
            lambda: not self.firing(alert, labels), awaiting=f"{alert} to clear for {labels}", timeout_seconds=180
        )


def hasty_alerts() -> str:
    """Return the alert rules with minutes made seconds: what is awaited for minutes is seen at once."""
    text = (ROOT / "monitoring" / "alerts.yml").read_text()
    return re.sub(r"\[(\d+)m\]", r"[\1s]", re.sub(r"for: \d+m", "for: 1s", text))


@contextmanager
def running_prometheus(monitored: Monitored, directory: Path) -> Iterator[Prometheus]:
    """Run Prometheus with the configuration that the command line prints."""
    program = required("prometheus")
    rules = directory / "alerts.yml"
    rules.write_text(hasty_alerts())
    exporter = monitored.exporter_url.removeprefix("http://")
    outcome = monitored.stack.pipeline(
        "prometheus-config", "--exporter", exporter, "--rules", str(rules), "--interval", "1s"
    )
    assert outcome.returncode == 0, outcome.stderr
    configuration = directory / "prometheus.yml"
    configuration.write_text(outcome.stdout)
    listen = f"127.0.0.1:{free_port()}"
    with (directory / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={configuration}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={listen}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        prometheus = Prometheus(f"http://{listen}")
        jobs = len(yaml.safe_load(outcome.stdout)["scrape_configs"])
        wait_until(lambda: _all_up(prometheus, jobs), awaiting="Prometheus to scrape every job", timeout_seconds=90)
        yield prometheus
    finally:
        process.terminate()
        process.wait(timeout=30)


def _all_up(prometheus: Prometheus, jobs: int) -> bool:
    try:
        return len(prometheus.query("up == 1")) == jobs
    except (requests.ConnectionError, json.JSONDecodeError):
        return False
