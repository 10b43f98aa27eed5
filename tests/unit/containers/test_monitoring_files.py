"""Alert rules, dashboards and Prometheus' configuration as files: sound, complete, and about the same jobs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.exporter.scraping import scrape_configuration
from pipeline.settings import Settings
from tests.conftest import ROOT

ALERTS = ROOT / "monitoring" / "alerts.yml"


def alerts() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def required(program: str) -> str:
    """Return the path of a program, or skip: CI installs it wherever it can (.ci/run)."""
    found = shutil.which(program)
    if found is None and (os.environ.get("CI") != "true" or os.geteuid() != 0 or shutil.which("apt-get") is None):
        pytest.skip(f"{program} is not installed here; Debian has it in the package prometheus")
    assert found is not None, f"CI should have installed {program}"
    return found


@pytest.mark.parametrize("arguments", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts.test.yml")])
def test_promtool_is_content(arguments: tuple[str, ...]) -> None:
    outcome = subprocess.run(
        [required("promtool"), *arguments], cwd=ALERTS.parent, capture_output=True, text=True, check=False, timeout=60
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_every_alert_is_tested_to_fire_and_to_stay_silent() -> None:
    cases = yaml.safe_load((ALERTS.parent / "alerts.test.yml").read_text())["tests"]
    expected = [(test["expr"], bool(test["exp_samples"])) for case in cases for test in case["promql_expr_test"]]
    for rule in alerts():
        outcomes = {fires for expression, fires in expected if f'alertname="{rule["alert"]}"' in expression}
        assert outcomes == {True, False}, rule["alert"]


def test_every_alert_is_staged_on_real_servers() -> None:
    tests = (ROOT / "tests" / "integration" / "monitoring").glob("test_*.py")
    staged = {alert for test in tests for alert in re.findall(r'await_alert\("(\w+)"', test.read_text())}
    assert staged == {rule["alert"] for rule in alerts()}


def test_every_alert_has_a_runbook_with_meaning_first_look_and_remedy() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    found = re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, re.MULTILINE | re.DOTALL)
    sections = {name.lower(): body for name, body in found}
    for rule in alerts():
        page, _, anchor = rule["annotations"]["runbook"].partition("#")
        assert page == "docs/operations.md"
        assert anchor == rule["alert"].lower()
        for part in ("**Meaning.**", "**First look.**", "**Remedy.**"):
            assert part in sections[anchor], f"{rule['alert']}: {part}"
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]


def test_both_stacks_have_the_same_jobs(tmp_path: Path) -> None:
    servers = ("schema_registry", "connect", "ksqldb")
    names = [f"{server}{kind}_url" for server in servers for kind in ("", "_metrics")]
    settings = Settings.model_validate(
        {
            **dict.fromkeys(names, "http://127.0.0.1:1/metrics"),
            "kafka_bootstrap_servers": "127.0.0.1:1",
            "postgres_dsn": "postgresql://u@127.0.0.1/d",
            "kafka_metrics_url": "http://127.0.0.1:2/metrics",
        }
    )
    ours = yaml.safe_load(scrape_configuration(settings, "127.0.0.1:9808", tmp_path / "alerts.yml", "10s"))
    theirs = yaml.safe_load((ROOT / "docker/prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"] for job in theirs["scrape_configs"]}
    # In the container stack another exporter tells more of PostgreSQL; no alert and no dashboard depends on it.
    assert {job["job_name"] for job in ours["scrape_configs"]} == jobs - {"postgres"}
    assert ours["scrape_configs"][0]["static_configs"] == [{"targets": ["127.0.0.1:2"]}]


def test_dashboards_have_unique_ids_titles_and_panels_that_do_not_overlap() -> None:
    documents = [json.loads(path.read_text()) for path in sorted((ROOT / "monitoring/dashboards").glob("*.json"))]
    assert len({document["uid"] for document in documents}) == len(documents) == 3
    for document in documents:
        cells: set[tuple[int, int]] = set()
        for panel in document["panels"]:
            assert panel["title"]
            place = panel["gridPos"]
            covered = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert place["x"] + place["w"] <= 24
            assert not covered & cells, panel["title"]
            cells |= covered
