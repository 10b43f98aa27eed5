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
from tests.integration.monitoring.exporter import Monitored, free_port
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

    def found_by(self, alert: str) -> list[dict[str, Any]]:
        """Evaluate an alert's expression now: what it finds will make it fire if it lasts."""
        rules = [rule for group in self.get("rules")["groups"] for rule in group["rules"]]
        return self.query(next(rule["query"] for rule in rules if rule["name"] == alert))

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
    rules = write_rules(directory)
    exporter = monitored.exporter_url.removeprefix("http://")
    outcome = monitored.stack.pipeline(
        "prometheus-config", "--exporter", exporter, "--rules", str(rules), "--interval", "1s"
    )
    assert outcome.returncode == 0, outcome.stderr
    with configured_prometheus(yaml.safe_load(outcome.stdout), directory) as prometheus:
        yield prometheus


def write_rules(directory: Path) -> Path:
    """Write the hasty alerts down for Prometheus."""
    rules = directory / "alerts.yml"
    rules.write_text(hasty_alerts())
    return rules


@contextmanager
def configured_prometheus(configuration: Mapping[str, Any], directory: Path) -> Iterator[Prometheus]:
    """Run Prometheus, and wait until it scrapes every target."""
    file = directory / "prometheus.yml"
    file.write_text(yaml.safe_dump(configuration))
    listen = f"127.0.0.1:{free_port()}"
    with (directory / "prometheus.log").open("w") as log:
        process = subprocess.Popen(
            [
                required("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={listen}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        prometheus = Prometheus(f"http://{listen}")
        jobs = [job["static_configs"] for job in configuration["scrape_configs"]]
        targets = sum(len(static["targets"]) for job in jobs for static in job)
        wait_until(lambda: _all_up(prometheus, targets), awaiting="Prometheus to scrape all", timeout_seconds=90)
        yield prometheus
    finally:
        process.terminate()
        process.wait(timeout=30)


def _all_up(prometheus: Prometheus, targets: int) -> bool:
    try:
        return len(prometheus.query("up == 1")) == targets
    except (requests.ConnectionError, json.JSONDecodeError):
        return False
