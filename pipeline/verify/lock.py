"""One verification at a time: all share one ledger."""

from __future__ import annotations

from contextlib import AbstractContextManager

import psycopg

from pipeline.clients.advisory_lock import advisory_lock

_KEY = 0x70_72_6F_66  # "prof", among the advisory locks of the database


def verification_lock(connection: psycopg.Connection, timeout_seconds: float) -> AbstractContextManager[None]:
    """Hold the lock of the ledger.

    Raises RejectedError if another verification or erasure has it for longer than ``timeout_seconds``.
    """
    message = f"another verification or erasure has been running for {timeout_seconds:g} s: try again when it ended"
    return advisory_lock(connection, _KEY, wait_seconds=timeout_seconds, refusal=lambda _: message)
