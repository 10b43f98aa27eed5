"""Servers beside those of a stack, started with the command line and the settings of one that runs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from embedded.ports import choose_ports
from embedded.servers.interface import properties
from tests.accounts import process_of
from tests.conftest import Stack, read_environment


def settings_of(java: psutil.Process) -> dict[str, str]:
    """Return the settings in the file that a Java server was started with."""
    return read_environment(Path(java.cmdline()[-1]))


@contextmanager
def further_worker(stack: Stack, changed: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start a Connect worker of the first one's group, with its settings but for those changed; return its address."""
    first = process_of(stack, "connect")
    port = choose_ports(["worker"], {})["worker"]
    address = f"127.0.0.1:{port}"
    settings = settings_of(first) | {"listeners": f"http://{address}", "rest.advertised.port": str(port)}
    with TemporaryDirectory() as directory, (stack.state_dir / "logs" / "connect-2.log").open("ab") as log:
        file = Path(directory) / "worker.properties"
        file.write_text(properties({**settings, **(changed or {})}), encoding="utf-8")
        options = [each for each in first.cmdline()[:-1] if not each.startswith("-javaagent")]  # it has a port, too
        worker = subprocess.Popen([*options, str(file)], env=first.environ(), stdout=log, stderr=log, cwd=directory)
        try:
            yield address
        finally:
            worker.terminate()
            worker.wait(60)
