"""What the supervisor knows of a server."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from embedded.installation import Installation
from embedded.ports import HOST
from embedded.state import StateDir

# Everything else a user may have exported (CLASSPATH, JAVA_TOOL_OPTIONS, PG*, QUARKUS_*) could change a server.
_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "LD_LIBRARY_PATH")
_PASSED_ON_PREFIXES = ("COVERAGE", "COV_")


@dataclass(frozen=True, slots=True)
class Stack:
    """All that servers of one stack are configured from."""

    state_dir: StateDir
    ports: Mapping[str, int]
    password: str
    installation: Installation
    fast_boot: bool = True

    def address(self, port_name: str) -> str:
        """Return ``host:port``."""
        return f"{HOST}:{self.ports[port_name]}"

    def url(self, port_name: str) -> str:
        """Return the base URL of a server that speaks HTTP."""
        return f"http://{self.address(port_name)}"

    def dsn(self, database: str) -> str:
        """Return the libpq URI of a database, password included."""
        return f"postgresql://{DATABASE_USER}:{self.password}@{self.address('postgres')}/{database}"


DATABASE_USER = "analytics"
DATABASE = "analytics"
REGISTRY_DATABASE = "registry"


@dataclass(frozen=True, slots=True)
class Launch:
    """A process to start: arguments (never a secret among them), additional environment, and how it is stopped."""

    arguments: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: int | None = None
    stop_signal: int = signal.SIGTERM


class Server(Protocol):
    """One server of a stack."""

    @property
    def name(self) -> str:
        """The name by which people and files call it."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of servers that must be ready before this one is started."""

    @property
    def stop_seconds(self) -> float:
        """How long it may take to stop before it is killed."""

    def address(self) -> str:
        """Return the address that status shows."""

    def metrics_url(self) -> str:
        """Return where Prometheus reads its metrics; empty for a server that has none."""

    def prepare(self) -> None:
        """Write configuration and initialise data where missing; repeatable."""

    def launch(self) -> Launch:
        """Return the process to start."""

    def is_ready(self) -> bool:
        """Ask the server, in its own protocol, whether it serves; false while it does not."""


def base_environment() -> dict[str, str]:
    """Return the part of our environment that servers are given, and a locale in which Java can name every file."""
    kept = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
    kept |= {name: value for name, value in os.environ.items() if name.startswith(_PASSED_ON_PREFIXES)}
    return {**kept, "LC_ALL": "C.UTF-8"}


def properties(settings: Mapping[str, object]) -> str:
    """Format a Java properties file, which is Latin-1; it knows the escapes of JSON, where all else is ASCII."""
    return "".join(f"{name}={json.dumps(str(value))[1:-1]}\n" for name, value in settings.items())
