"""Everything that can go wrong, one tree.

::

    PipelineError                 exit code 1
    ├── StoppedError              a deployment stopped half-way; it says how to go on or back
    ├── InterruptionError         Ctrl-C or SIGTERM; it says what was put back
    ├── DriftError                exit code 3: what is deployed is not what somebody has seen or declared
    ├── SettingsError             exit code 2: an address or a secret is missing or malformed
    ├── DeclarationError          exit code 2: a file of the project is missing, broken or contradicts another
    └── ServerError
        ├── UnreachableError      nothing answers at an address
        ├── RejectedError         a server answered, and refused
        │   └── NotAuthorizedError    it knows who asks, who may not do this
        └── NotReadyError         a server did not reach the awaited state in time

A message names what, where (file:line or URL) and the next step. The command line catches the tree once.
"""

from __future__ import annotations

from pathlib import Path


class PipelineError(Exception):
    """Root of the tree."""

    exit_code = 1


class SettingsError(PipelineError):
    """An address or a secret is missing or malformed."""

    exit_code = 2


class DeclarationError(PipelineError):
    """A file of the project is missing, broken or contradicts another; ``path`` and ``line`` say where."""

    exit_code = 2

    def __init__(self, reason: str, *, path: Path | None = None, line: int = 1) -> None:
        super().__init__(reason if path is None else f"{path}:{line}: {reason}")
        self.reason = reason
        self.path = path
        self.line = line


class StoppedError(PipelineError):
    """A deployment stopped half-way; it says how to go on or back."""


class InterruptionError(PipelineError):
    """Ctrl-C or SIGTERM ended a command; it says what was put back."""


class DriftError(PipelineError):
    """What is deployed is not what somebody has seen or declared."""

    exit_code = 3


class ServerError(PipelineError):
    """Something between us and a server."""


class UnreachableError(ServerError):
    """Nothing answers at an address."""


class RejectedError(ServerError):
    """A server answered, and refused. ``status`` is the HTTP status where there is one."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NotAuthorizedError(RejectedError):
    """A server knows who asks, who may not do this."""


class NotReadyError(ServerError):
    """A server did not reach the awaited state in time."""
