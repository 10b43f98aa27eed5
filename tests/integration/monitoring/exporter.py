"""An exporter beside a stack."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from pipeline.waiting import wait_until
from tests.conftest import ROOT, Stack

LOOK_SECONDS = "0.5"


@dataclass(frozen=True, slots=True)
class Monitored:
    """The stack, where its exporter answers, the exporter's process, and where its log is."""

    stack: Stack
    exporter_url: str
    exporter_pid: int
    exporter_log: Path

    def metrics(self) -> str:
        """Read the exporter once."""
        return requests.get(f"{self.exporter_url}/metrics", timeout=10).text

    def await_metric(self, *lines: str) -> None:
        """Wait until the exporter tells all of these lines."""
        wait_until(
            lambda: set(lines) <= set(self.metrics().splitlines()),
            awaiting=f"{lines} among the metrics",
            timeout_seconds=90,
        )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def running_exporter(stack: Stack, log: Path, *options: str) -> Iterator[Monitored]:
    """Run an exporter beside the stack."""
    listen = f"127.0.0.1:{free_port()}"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "pipeline", "--log-format", "json"),
                *("exporter", "--listen", listen, "--interval", LOOK_SECONDS, *options),
            ],
            env=stack.environment,
            cwd=ROOT,
            stderr=stream,
        )
    try:
        wait_until(lambda: "exporter.serving" in log.read_text(), awaiting="the exporter", timeout_seconds=60)
        yield Monitored(stack, f"http://{listen}", process.pid, log)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 0
