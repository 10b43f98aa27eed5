"""What a run did so far, for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import start_http_server
from prometheus_client.registry import Collector

from producer.errors import InvalidRequestError
from producer.publisher import Publisher


@contextmanager
def serving_metrics(publisher: Publisher, address: tuple[str, int] | None) -> Iterator[None]:
    """Serve `/metrics` at host and port meanwhile, if one is given. Raises InvalidRequestError where it is taken."""
    if address is None:
        yield
        return
    host, port = address
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(publisher))
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        raise InvalidRequestError(f"cannot serve metrics on {host}:{port}: {error.strerror}; choose another") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Collector(Collector):
    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def collect(self) -> Iterator[Metric]:
        publisher = self._publisher
        yield CounterMetricFamily("producer_records_sent", "Records handed to the client.", value=publisher.sent)
        yield CounterMetricFamily("producer_records_failed", "Records that were not written.", value=publisher.failed)
        yield CounterMetricFamily("producer_records_resent", "Records that were sent again.", value=publisher.resent)
        yield GaugeMetricFamily("producer_records_pending", "Records not acknowledged yet.", value=publisher.pending)
