"""Prometheus' configuration for one set of servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from pipeline.settings import Settings


def scrape_configuration(settings: Settings, exporter: str, rules: Path, interval: str) -> str:
    """Return a prometheus.yml: one job for each server that says where its metrics are, and one for the exporter."""
    urls = {
        "kafka": settings.kafka_metrics_url,
        "connect": settings.connect_metrics_url,
        "registry": settings.schema_registry_metrics_url,
        "ksql": settings.ksqldb_metrics_url,
        "exporter": f"http://{exporter}/metrics",
    }
    document = {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [str(rules)],
        "scrape_configs": [_job(name, url) for name, url in urls.items() if url],
    }
    text: str = yaml.safe_dump(document, sort_keys=False)
    return text


def _job(name: str, url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "job_name": name,
        "scheme": parts.scheme,
        "metrics_path": parts.path or "/metrics",
        "static_configs": [{"targets": [parts.netloc]}],
    }
