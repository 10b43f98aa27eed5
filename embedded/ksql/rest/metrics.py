"""Counters of every query in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from embedded.ksql.runtime.engine import Engine
from embedded.ksql.runtime.worker import QueryState, QueryWorker

CONTENT_TYPE = CONTENT_TYPE_LATEST

_GAUGES: dict[str, tuple[str, Callable[[QueryWorker], float]]] = {
    "ksql_query_state_rows": ("Rows in the query's stores.", QueryWorker.state_rows),
    "ksql_query_lag_records": ("Records of the sources that were not processed yet.", QueryWorker.lag_records),
}
_COUNTERS: dict[str, tuple[str, Callable[[QueryWorker], float]]] = {
    "ksql_query_records_in": ("Records read.", lambda worker: worker.statistics.records_in),
    "ksql_query_records_out": ("Records written.", lambda worker: worker.statistics.records_out),
    "ksql_query_errors": ("Records skipped, see the processing log.", lambda worker: worker.statistics.errors),
    "ksql_query_commits": ("Transactions committed.", lambda worker: worker.statistics.commits),
    "ksql_query_restarts": ("Restarts after trouble with a server.", lambda worker: worker.statistics.restarts),
}


def metrics_text(engine: Engine) -> bytes:
    """Return the metrics as they are now. Counters begin at 0 with the process, and with each start of a query."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(engine))
    return generate_latest(registry)


class _Collector(Collector):
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        queries = self._engine.queries.all()
        for name, (text, read) in _GAUGES.items():
            gauge = GaugeMetricFamily(name, text, labels=["query"])
            for query in queries:
                gauge.add_metric([query.query_id], read(query.worker))
            yield gauge
        for name, (text, read) in _COUNTERS.items():
            counter = CounterMetricFamily(name, text, labels=["query"])
            for query in queries:
                counter.add_metric([query.query_id], read(query.worker))
            yield counter
        states = GaugeMetricFamily("ksql_query_state", "1 for the state a query is in.", labels=["query", "state"])
        for query in queries:
            for state in QueryState:
                states.add_metric([query.query_id, state.value], float(query.worker.state is state))
        yield states
        pushed = len(self._engine.transients.all())
        yield GaugeMetricFamily("ksql_push_queries", "Queries that stream to a client.", value=pushed)
        unreplayed = self._engine.unreplayed
        yield GaugeMetricFamily("ksql_commands_not_replayed", "Commands lost at the start.", value=unreplayed)
