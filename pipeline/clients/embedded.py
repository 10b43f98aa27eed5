"""The embedded stack, which runs as processes of its own and is driven through its command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.errors import PipelineError, SettingsError

_SEE_ABOVE = "the embedded stack failed; the reason stands above"


@dataclass(frozen=True, slots=True)
class Server:
    """One server process as `pipeline status` shows it; ``rss_bytes`` is its resident memory.

    ``reason`` says why a server has failed, then the last lines of its log.
    """

    name: str
    pid: int | None
    address: str
    metrics_url: str
    state: str
    rss_bytes: int
    restarts: int
    reason: str


class EmbeddedStack:
    """The stack of one state directory."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir

    def up(self, arguments: Sequence[str] = ()) -> None:
        """Start the servers; their progress goes to standard error. Raises PipelineError with the launcher's status."""
        self._show(["up", *arguments])

    def down(self, *, delete_data: bool = False) -> None:
        """Stop the servers."""
        self._show(["down", *(["--delete-data"] if delete_data else [])])

    def servers(self) -> list[Server]:
        """Return the servers of the stack; none where none was ever started."""
        completed = subprocess.run(
            self._command(["status", "--json"]), env=self._environment(), check=False, stdout=subprocess.PIPE
        )
        if not completed.stdout:
            raise PipelineError(_SEE_ABOVE)
        document: dict[str, Any] = json.loads(completed.stdout)
        return [Server(**{name: server[name] for name in Server.__slots__}) for server in document["servers"]]

    def _show(self, arguments: Sequence[str]) -> None:
        with subprocess.Popen(self._command(arguments), env=self._environment()) as launcher:
            try:
                failed = launcher.wait()
            except KeyboardInterrupt:
                launcher.terminate()  # SIGTERM has reached us only; it ends when what it has started is stopped
                launcher.wait()
                raise
        if failed:
            raise PipelineError(_SEE_ABOVE)

    def _command(self, arguments: Sequence[str]) -> list[str]:
        if find_spec("embedded") is None or find_spec("jgo") is None:
            message = (
                "the embedded servers are not installed here: pip install 'user-analytics-pipeline[embedded]', or set "
                "the addresses of servers that run elsewhere (see .env.example)"
            )
            raise SettingsError(message)
        return [sys.executable, "-m", "embedded", *arguments]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "PIPELINE_STATE_DIR": str(self._state_dir)}
