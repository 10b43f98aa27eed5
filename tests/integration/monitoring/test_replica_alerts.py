"""Alerts about replicas, on two brokers of which one hangs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults import hanging
from tests.integration.monitoring.prometheus import Prometheus, configured_prometheus, write_rules
from tests.integration.monitoring.two_brokers import FIRST, SECOND, TwoBrokers, two_brokers

ALERTS = {"UnderReplicatedPartitions", "PartitionsRefuseWrites", "OfflinePartitions"}


@pytest.fixture(scope="module")
def brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoBrokers]:
    with two_brokers(tmp_path_factory.mktemp("brokers")) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(brokers: TwoBrokers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    directory = tmp_path_factory.mktemp("prometheus")
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(write_rules(directory))],
        "scrape_configs": [{"job_name": "kafka", "static_configs": [{"targets": list(brokers.metrics)}]}],
    }
    with configured_prometheus(configuration, directory) as running:
        yield running


def finding(prometheus: Prometheus) -> set[str]:
    """Return the alerts that have something to tell now."""
    return {alert for alert in ALERTS if prometheus.found_by(alert)}


def test_a_partition_that_lacks_a_replica_fires_and_clears_when_the_broker_is_back(
    brokers: TwoBrokers, prometheus: Prometheus
) -> None:
    with brokers.topic(FIRST, SECOND) as topic:
        assert finding(prometheus) == set()
        with hanging(brokers.second):
            prometheus.await_alert("UnderReplicatedPartitions", instance=brokers.metrics[0])
            assert finding(prometheus) == {"UnderReplicatedPartitions"}
            assert prometheus.firing("TargetDown", {"instance": brokers.metrics[1]})
            assert brokers.accepts_writes(topic)
        prometheus.await_silence("UnderReplicatedPartitions")


def test_a_partition_that_refuses_writes_fires_and_clears_when_it_takes_them(
    brokers: TwoBrokers, prometheus: Prometheus
) -> None:
    with brokers.topic(FIRST, SECOND, min_insync_replicas=2) as topic:
        assert brokers.accepts_writes(topic)
        assert finding(prometheus) == set()
        with hanging(brokers.second):
            prometheus.await_alert("PartitionsRefuseWrites", instance=brokers.metrics[0])
            assert finding(prometheus) == {"UnderReplicatedPartitions", "PartitionsRefuseWrites"}
            assert not brokers.accepts_writes(topic)
        prometheus.await_silence("PartitionsRefuseWrites")
        assert brokers.accepts_writes(topic)


def test_a_partition_whose_only_broker_hangs_fires_and_clears_when_it_has_a_leader(
    brokers: TwoBrokers, prometheus: Prometheus
) -> None:
    with brokers.topic(SECOND) as topic:
        assert finding(prometheus) == set()
        with hanging(brokers.second):
            prometheus.await_alert("OfflinePartitions")
            assert finding(prometheus) == {"OfflinePartitions"}
            assert not brokers.accepts_writes(topic)
        prometheus.await_silence("OfflinePartitions")
        assert brokers.accepts_writes(topic)
