"""Asks every server in turn, again and again, and serves the last answers."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog
from prometheus_client.core import CollectorRegistry, Metric
from prometheus_client.exposition import start_http_server
from prometheus_client.registry import Collector

from pipeline.errors import PipelineError, ServerError
from pipeline.exporter.families import gauge, gauges
from pipeline.exporter.sources import Source

log = structlog.get_logger(__name__)


class Snapshot(Collector):
    """The last answer of every server; a server that does not answer has no metrics but `pipeline_server_up` 0."""

    def __init__(self, sources: Mapping[str, Source], disks: Sequence[Path] = ()) -> None:
        self._sources = sources
        self._disks = disks
        self._answers: dict[str, list[Metric] | None] = {}
        self._looked_at = 0.0

    def look(self) -> None:
        """Ask every server, all at the same time."""
        with ThreadPoolExecutor(len(self._sources)) as pool:
            answers = dict(zip(self._sources, pool.map(self._ask, self._sources), strict=True))
        self._answers, self._looked_at = answers, time.time()

    def _ask(self, server: str) -> list[Metric] | None:
        try:
            return self._sources[server]()
        except ServerError as error:
            log.warning("exporter.server_unavailable", server=server, reason=str(error))
            return None

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        up = [((server,), float(answer is not None)) for server, answer in self._answers.items()]
        yield gauges("pipeline_server_up", "Whether a server answered the exporter.", ["server"], up)
        yield gauge("pipeline_exporter_timestamp_seconds", "When the servers were asked.", self._looked_at)
        for answer in self._answers.values():
            yield from answer or ()
        usage = {str(path): shutil.disk_usage(path) for path in self._disks}
        free = [((path,), float(disk.free)) for path, disk in usage.items()]
        size = [((path,), float(disk.total)) for path, disk in usage.items()]
        yield gauges("pipeline_disk_free_bytes", "Free space of the disk that holds the path.", ["path"], free)
        yield gauges("pipeline_disk_bytes", "Size of the disk that holds the path.", ["path"], size)


def serve(snapshot: Snapshot, host: str, port: int, *, interval_seconds: float, stop: threading.Event) -> None:
    """Serve `/metrics` until told to stop. Raises PipelineError where the port is taken."""
    registry = CollectorRegistry(auto_describe=False)
    snapshot.look()
    registry.register(snapshot)
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {error.strerror}; choose another with --listen"
        raise PipelineError(message) from error
    log.info("exporter.serving", address=f"http://{host}:{server.server_port}/metrics", every_seconds=interval_seconds)
    try:
        while not stop.wait(interval_seconds):
            snapshot.look()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        log.info("exporter.stopped")
