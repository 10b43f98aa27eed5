"""A stack of its own, since these tests break things, with everything deployed and the exporter beside it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from pipeline.waiting import wait_until
from tests.conftest import ROOT, Stack, running_stack

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


@pytest.fixture(scope="session")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monitored]:
    with running_stack(tmp_path_factory.mktemp("monitored")) as stack:
        assert stack.pipeline("deploy").returncode == 0
        listen = f"127.0.0.1:{free_port()}"
        log = stack.state_dir / "exporter.log"
        with log.open("w") as stream:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "pipeline", "--log-format", "json"),
                    *("exporter", "--listen", listen, "--interval", LOOK_SECONDS),
                ],
                env=stack.environment,
                cwd=ROOT,
                stderr=stream,
            )
        try:
            found = Monitored(stack, f"http://{listen}", process.pid, log)
            wait_until(lambda: "exporter.serving" in log.read_text(), awaiting="the exporter", timeout_seconds=60)
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
