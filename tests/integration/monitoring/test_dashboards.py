"""Dashboards and alerts name what a Prometheus finds that scrapes real servers under load."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import yaml

from pipeline.waiting import wait_until
from tests.conftest import ROOT
from tests.integration.monitoring.events import refused_event
from tests.integration.monitoring.exporter import Monitored
from tests.integration.monitoring.prometheus import Prometheus
from tests.integration.monitoring.promql import grouping_labels, selectors, template_labels
from tests.traffic import traffic

DASHBOARDS = sorted((ROOT / "monitoring" / "dashboards").glob("*.json"))


def targets() -> list[tuple[str, str]]:
    """Return every expression for Prometheus in a dashboard, with its legend."""
    documents = [json.loads(path.read_text()) for path in DASHBOARDS]
    return [
        (target["expr"], target.get("legendFormat", ""))
        for document in documents
        for panel in document["panels"]
        for target in panel["targets"]
        if target["datasource"]["type"] == "prometheus"
    ]


def statements() -> list[str]:
    """Return every statement for PostgreSQL in a dashboard, with Grafana's macros resolved."""
    documents = [json.loads(path.read_text()) for path in DASHBOARDS]
    texts = [
        target["rawSql"]
        for document in documents
        for panel in document["panels"]
        for target in panel["targets"]
        if target["datasource"]["type"] == "postgres"
    ]
    return [text.replace("$__timeFilter(occurred_at)", "occurred_at > now() - interval '7 days'") for text in texts]


def rules() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / "monitoring/alerts.yml").read_text())["groups"][0]["rules"]
    return found


def unknown(prometheus: Prometheus, expression: str, labels: set[str]) -> list[str]:
    """Return what an expression names that no scrape has."""
    missing, known = [], {"alertname", "alertstate"} if "ALERTS" in expression else set()
    for selector in selectors(expression):
        found = prometheus.series(selector)
        known |= {label for series in found for label in series}
        missing += [] if found or selector.startswith("ALERTS") else [selector]
    return missing + sorted((grouping_labels(expression) | labels) - known)


def test_every_metric_and_label_in_a_dashboard_or_an_alert_is_in_the_scrape(
    monitored: Monitored, prometheus: Prometheus
) -> None:
    named = [(expression, template_labels(legend)) for expression, legend in targets()]
    named += [(rule["expr"], template_labels(rule["annotations"]["summary"])) for rule in rules()]
    assert len(named) > 60
    with traffic(monitored.stack):
        refused_event(monitored)
        assert monitored.stack.pipeline("verify", "--canary", "--timeout", "60").returncode in {0, 1}
        missing: dict[str, list[str]] = {}

        def complete() -> bool:
            nonlocal missing
            found = {expression: unknown(prometheus, expression, labels) for expression, labels in named}
            missing = {expression: names for expression, names in found.items() if names}
            return not missing

        try:
            wait_until(complete, awaiting="every metric and label", timeout_seconds=120)
        finally:
            assert missing == {}
        empty = [
            expression for expression, _ in targets() if "ALERTS" not in expression and not prometheus.query(expression)
        ]
        assert empty == []


def test_every_statement_in_a_dashboard_answers_from_the_database(monitored: Monitored) -> None:
    assert monitored.stack.pipeline("produce", "--events", "300").returncode == 0
    assert monitored.stack.pipeline("verify").returncode in {0, 1}
    with psycopg.connect(monitored.stack.postgres_dsn) as connection:
        for statement in statements():
            assert connection.execute(statement).fetchall(), statement
