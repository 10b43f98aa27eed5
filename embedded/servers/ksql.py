"""The embedded ksql engine: our own Python process behind ksqlDB's REST API."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from embedded.servers.http import answers_ok
from embedded.servers.interface import Launch, Stack


@dataclass(frozen=True)
class Ksql:
    """The ksql engine."""

    stack: Stack
    name: str = "ksql"
    needs: tuple[str, ...] = ("kafka", "registry")
    stop_seconds: float = 20

    def address(self) -> str:
        """Return the base URL of the REST API."""
        return self.stack.url("ksql")

    def metrics_url(self) -> str:
        """Return the engine's own endpoint."""
        return f"{self.address()}/metrics"

    def prepare(self) -> None:
        """Create its directory."""
        self.stack.state_dir.server_dir("ksql").mkdir(parents=True, exist_ok=True)

    def launch(self) -> Launch:
        """Return the engine's process."""
        arguments = [sys.executable, "-m", "embedded.ksql"]
        environment = {
            "PYTHONPATH": package_path(),
            "PYTHONUNBUFFERED": "1",
            "PIPELINE_LOG_FORMAT": os.environ.get("PIPELINE_LOG_FORMAT", "console"),
            "PIPELINE_KAFKA_BOOTSTRAP_SERVERS": self.stack.address("kafka"),
            "PIPELINE_SCHEMA_REGISTRY_URL": f"{self.stack.url('registry')}/apis/ccompat/v7",
            "PIPELINE_KSQLDB_LISTENER": self.stack.address("ksql"),
            "PIPELINE_STATE_DIR": str(self.stack.state_dir.path),
        }
        return Launch(arguments, environment)

    def is_ready(self) -> bool:
        """Ask for the server's info."""
        return answers_ok(f"{self.address()}/info")


def package_path() -> str:
    """Return a ``PYTHONPATH`` with which a child finds this package from any directory."""
    ours = str(Path(__file__).parents[2])
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join([ours, inherited]) if inherited else ours
