"""Prometheus metric families, written down in one line each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric

Sample = tuple[Sequence[str], float]


def gauge(name: str, documentation: str, value: float) -> Metric:
    """Return a gauge without labels."""
    return GaugeMetricFamily(name, documentation, value=value)


def gauges(name: str, documentation: str, labels: Sequence[str], samples: Iterable[Sample]) -> Metric:
    """Return a gauge with labels; each sample is the labels' values and the value."""
    family = GaugeMetricFamily(name, documentation, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family
