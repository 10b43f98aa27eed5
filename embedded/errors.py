"""What can go wrong while starting, watching or stopping the servers."""

from __future__ import annotations


class EmbeddedError(Exception):
    """A failure a person can act on; the message says what, where and the next step."""


class InstallationError(EmbeddedError):
    """Something the servers need is missing, damaged or cannot be built."""


class ServerFailedError(EmbeddedError):
    """A server died or did not become ready; the message ends with the last lines of its log."""
