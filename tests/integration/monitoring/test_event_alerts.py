"""Alerts about what is written to topics, fired and cleared by faults that are staged."""

from __future__ import annotations

from tests.integration.monitoring.events import refused_event
from tests.integration.monitoring.exporter import Monitored
from tests.integration.monitoring.prometheus import Prometheus
from tests.traffic import traffic


def test_poison_fires_and_clears_when_no_more_of_it_comes(monitored: Monitored, prometheus: Prometheus) -> None:
    refused_event(monitored)
    prometheus.await_alert("DeadLettersArriving")
    prometheus.await_silence("DeadLettersArriving")


def test_silence_in_the_topic_fires_and_clears_when_events_come(monitored: Monitored, prometheus: Prometheus) -> None:
    prometheus.await_alert("NoEvents")
    with traffic(monitored.stack):
        prometheus.await_silence("NoEvents")
