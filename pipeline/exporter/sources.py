"""What is asked of each server."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import Metric

from pipeline.clients.connect import Connect, ConnectorStatus
from pipeline.clients.kafka import Kafka
from pipeline.clients.ksqldb import KsqlDb
from pipeline.clients.lag import lag_by_partition
from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.connectors import sink_group
from pipeline.errors import ServerError
from pipeline.exporter.database import database_metrics
from pipeline.exporter.families import gauge, gauges
from pipeline.exporter.lag_age import LagAge
from pipeline.settings import Settings

Source = Callable[[], list[Metric]]
"""Asks one server. Raises ServerError."""

TASK_STATES = ("RUNNING", "FAILED", "PAUSED", "STOPPED", "UNASSIGNED", "RESTARTING")
QUERY_STATES = ("RUNNING", "PAUSED", "ERROR", "UNRESPONSIVE")


def sources(settings: Settings) -> Mapping[str, Source]:
    """Return what is to be asked, by server."""
    connect = Connect(settings.connect)
    return {
        "kafka": _Lags(Kafka(settings.kafka_config()), connect),
        "registry": lambda: registry_metrics(SchemaRegistry(settings.schema_registry)),
        "connect": lambda: connector_metrics(connect.statuses()),
        "ksql": lambda: ksql_metrics(KsqlDb(settings.ksqldb)),
        "postgres": lambda: database_metrics(settings.postgres_dsn),
    }


def registry_metrics(registry: SchemaRegistry) -> list[Metric]:
    """Count the subjects."""
    return [gauge("pipeline_registry_subjects", "Subjects in the schema registry.", len(registry.subjects()))]


def connector_metrics(connectors: list[ConnectorStatus]) -> list[Metric]:
    """Count tasks by state; a connector without tasks, or that FAILED itself, shows in its own state."""
    states = [((c.name, state), float(c.state == state)) for c in connectors for state in TASK_STATES]
    counts = {c.name: Counter(task.state for task in c.tasks) for c in connectors}
    tasks = [((name, state), float(count[state])) for name, count in counts.items() for state in TASK_STATES]
    return [
        gauges("pipeline_connector_state", "1 for the state a connector is in.", ["connector", "state"], states),
        gauges(
            "pipeline_connector_tasks", "Tasks by state, as Connect's REST API says.", ["connector", "state"], tasks
        ),
    ]


def ksql_metrics(ksql: KsqlDb) -> list[Metric]:
    """Count the persistent queries by state."""
    counts = Counter(query.state for query in ksql.queries())
    samples = [((state,), float(counts[state])) for state in dict.fromkeys((*QUERY_STATES, *counts))]
    return [gauges("pipeline_ksql_queries", "Persistent queries by state.", ["state"], samples)]


class _Lags:
    """The lag of every sink, in records and in seconds."""

    def __init__(self, kafka: Kafka, connect: Connect) -> None:
        self._kafka = kafka
        self._connect = connect
        self._age = LagAge()

    def __call__(self) -> list[Metric]:
        there = set(self._kafka.partitions())
        try:
            named = {name: self._topics(name) for name in self._connect.names()}
        except ServerError:
            return []  # that Connect is away says its own source; Kafka has answered
        lags = {name: list(self._read(name, topics, there)) for name, topics in named.items()}
        records = [((name,), float(sum(behind for behind, _ in lag))) for name, lag in lags.items()]
        seconds = [((name,), max((age for _, age in lag), default=0.0)) for name, lag in lags.items()]
        return [
            gauges("pipeline_sink_lag_records", "Records that a sink has yet to commit.", ["connector"], records),
            gauges(
                "pipeline_sink_lag_seconds",
                "How long the oldest record that a sink has yet to commit has waited while the exporter ran.",
                ["connector"],
                seconds,
            ),
        ]

    def _read(self, connector: str, named: set[str], there: set[str]) -> Iterator[tuple[int, float]]:
        """Yield records and seconds behind, for each partition of what is named and of what a pattern has found."""
        group = sink_group(connector)
        for topic in (named | self._kafka.group_topics(group)) & there:
            for partition, behind in lag_by_partition(self._kafka, group, topic).items():
                key = (group, topic, partition)
                now = time.monotonic()
                committed = behind.end if behind.records == 0 else behind.committed
                yield behind.records, self._age.seconds(key, now=now, end=behind.end, committed=committed)

    def _topics(self, connector: str) -> set[str]:
        """Return what it is configured to read, also before it has committed anything."""
        config = self._connect.config(connector) or {}
        return {name.strip() for name in config.get("topics", "").split(",")}
