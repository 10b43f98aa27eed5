"""The state directory: what a stack is, where it listens, what runs; every file is replaced atomically."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from embedded.errors import EmbeddedError
from embedded.processes import Identity

SERVER_NAMES = ("kafka", "registry", "connect", "postgres", "ksql")
"""In the order in which status prints them; a contract."""


def default_state_dir() -> Path:
    """Return ``PIPELINE_STATE_DIR``, or the user's directory for this application's state."""
    configured = os.environ.get("PIPELINE_STATE_DIR")
    return Path(configured) if configured else Path(platformdirs.user_state_dir("user-analytics-pipeline"))


@dataclass(slots=True)
class ServerState:
    """What the supervisor knows about one server."""

    name: str
    address: str = ""
    state: str = "waiting"
    process: Identity | None = None
    restarts: int = 0
    ready_seconds: float | None = None
    reason: str = ""
    metrics_url: str = ""


@dataclass(slots=True)
class StackState:
    """The content of the state file."""

    supervisor: Identity | None = None
    generation: int = 0
    servers: dict[str, ServerState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StateDir:
    """The paths and files of one stack."""

    path: Path

    @property
    def lock_file(self) -> Path:
        """Return the lock that ``up`` and ``down`` hold."""
        return self.path / "lock"

    @property
    def environment_file(self) -> Path:
        """Return the file of ``PIPELINE_*`` settings that clients read."""
        return self.path / "environment"

    def server_dir(self, name: str) -> Path:
        """Return the directory of one server's configuration and data."""
        return self.path / name

    def log_file(self, name: str) -> Path:
        """Return the log of a server, or of the supervisor."""
        return self.path / "logs" / f"{name}.log"

    def create(self) -> None:
        """Create the directory, readable by its owner only."""
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.check_ours()
            self.lock_file.touch()
            self.path.chmod(0o700)
            (self.path / "logs").mkdir(exist_ok=True)
        except OSError as error:
            raise EmbeddedError(
                f"cannot use {self.path} as state directory: {error.strerror}; set PIPELINE_STATE_DIR to another"
            ) from error

    def check_ours(self) -> None:
        """Raise EmbeddedError if the directory holds what no stack has written; other stacks may be below it."""
        if self.lock_file.exists():
            return
        for entry in sorted(self.path.iterdir()):
            if not StateDir(entry).lock_file.exists():
                raise EmbeddedError(
                    f"{self.path} is no state directory: it holds {entry.name}, which no stack has written; "
                    "set PIPELINE_STATE_DIR to a new directory"
                )

    def read(self) -> StackState:
        """Return what the state file says, or the state of a stack that never ran."""
        document = self.read_json("state.json")
        servers = {}
        try:
            for name, entry in document.get("servers", {}).items():
                servers[name] = ServerState(**{**entry, "process": _identity(entry.get("process"))})
            return StackState(_identity(document.get("supervisor")), document.get("generation", 0), servers)
        except (AttributeError, TypeError) as error:
            raise self._damaged("state.json", error) from error

    def write(self, state: StackState) -> None:
        """Replace the state file."""
        self.write_json("state.json", asdict(state))

    def read_json(self, name: str) -> dict[str, Any]:
        """Return a JSON file's object; empty if there is no such file."""
        try:
            document = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise EmbeddedError(
                f"cannot read {self.path / name}: {error.strerror}; set PIPELINE_STATE_DIR to a directory of yours"
            ) from error
        except ValueError as error:
            raise self._damaged(name, error) from error
        if not isinstance(document, dict):
            raise self._damaged(name, "no JSON object")
        return document

    def _damaged(self, name: str, reason: object) -> EmbeddedError:
        return EmbeddedError(
            f"{self.path / name} is damaged ({reason}); end what may still run of this stack "
            f"(pkill -f 'state-dir {self.path} supervise'), delete that file, and run: pipeline up"
        )

    def write_json(self, name: str, document: Mapping[str, object]) -> None:
        """Replace a JSON file."""
        self.write_text(name, json.dumps(document, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Replace a file, readable by its owner only, so that a reader sees the old or the new content whole."""
        target = self.path / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # mkstemp creates with mode 0600: some of these files hold the password.
            descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
            try:
                with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                    stream.write(text)
                Path(temporary).replace(target)
            except OSError:
                Path(temporary).unlink()
                raise
        except OSError as error:
            raise EmbeddedError(f"cannot write {target}: {error.strerror}") from error
        return target

    def password(self) -> str:
        """Return the PostgreSQL password, made at the first call."""
        path = self.path / "postgres-password"
        if not path.exists():
            self.write_text(path.name, secrets.token_urlsafe(24))
        return path.read_text(encoding="utf-8").strip()


def _identity(entry: dict[str, Any] | None) -> Identity | None:
    return Identity(**entry) if entry else None
