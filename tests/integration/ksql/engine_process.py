"""An engine of a test's own: a process with a service id of its own, that can be killed and started again."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import requests
from prometheus_client.parser import text_string_to_metric_families

from pipeline.waiting import wait_until

ROOT = Path(__file__).parents[3]
START_SECONDS = 90.0
ANSWER_SECONDS = 60.0
EARLIEST = {"auto.offset.reset": "earliest", "ksql.streams.cache.max.bytes.buffering": "0"}


class Servers(Protocol):
    """What an engine needs to know."""

    @property
    def kafka_bootstrap_servers(self) -> str: ...

    @property
    def schema_registry_url(self) -> str: ...


class EngineProcess:
    """One engine. Its state is in Kafka, under the service id. ``program`` is what Python is given to run."""

    def __init__(
        self, servers: Servers, service_id: str, log: Path, program: Sequence[str] = ("-m", "embedded.ksql")
    ) -> None:
        self.service_id = service_id
        self._program = program
        self._log = log
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.listener = f"127.0.0.1:{probe.getsockname()[1]}"
        self.url = f"http://{self.listener}"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PIPELINE_")},
            "PIPELINE_KAFKA_BOOTSTRAP_SERVERS": servers.kafka_bootstrap_servers,
            "PIPELINE_SCHEMA_REGISTRY_URL": servers.schema_registry_url,
            "PIPELINE_KSQLDB_LISTENER": self.listener,
            "PIPELINE_KSQLDB_SERVICE_ID": service_id,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, without waiting for it to serve."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._program],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self) -> None:
        """Wait until it serves."""
        wait_until(self._answers, awaiting="the engine to serve", timeout_seconds=START_SECONDS)

    def kill(self) -> None:
        """End the process at once, as kill -9 does."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def send_signal(self, number: signal.Signals) -> None:
        """Send the process a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> int:
        """Ask the process to end; return its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(60)

    def execute(self, text: str, properties: dict[str, str] = EARLIEST) -> list[dict[str, Any]]:
        """Execute statements and return their answers."""
        body = {"ksql": text, "streamsProperties": properties}
        response = requests.post(f"{self.url}/ksql", json=body, timeout=ANSWER_SECONDS)
        assert response.status_code == 200, response.text
        answers: list[dict[str, Any]] = response.json()
        return answers

    def query(self, text: str) -> list[list[Any]]:
        """Return the rows of a pull query."""
        response = requests.post(f"{self.url}/query-stream", json={"sql": text}, timeout=ANSWER_SECONDS)
        assert response.status_code == 200, response.text
        lines = [json.loads(line) for line in response.text.splitlines() if line.strip()]
        return [line for line in lines if isinstance(line, list)]

    def query_id(self, sink: str) -> str:
        """Return the id of the query that writes a stream or table."""
        (shown,) = self.execute("SHOW QUERIES;")
        return next(str(query["id"]) for query in shown["queries"] if query["sinks"] == [sink])

    def metrics(self) -> dict[str, float]:
        """Return the metrics by name and labels, e.g. ``ksql_query_errors_total{CTAS_T_1}``."""
        text = requests.get(f"{self.url}/metrics", timeout=ANSWER_SECONDS).text
        return {
            f"{sample.name}{{{','.join(sample.labels.values())}}}": sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            return requests.get(f"{self.url}/info", timeout=5).ok
        except requests.ConnectionError:
            return False


@contextmanager
def engine_process(
    servers: Servers, service_id: str, directory: Path, program: Sequence[str] = ("-m", "embedded.ksql")
) -> Iterator[EngineProcess]:
    """Run an engine; at the end it must end in good order."""
    engine = EngineProcess(servers, service_id, directory / "engine.log", program)
    engine.start()
    try:
        engine.wait()
        yield engine
    finally:
        code = engine.stop()
    assert code == 0, re.sub(r"(?m)^.*info.*\n", "", (directory / "engine.log").read_text())
