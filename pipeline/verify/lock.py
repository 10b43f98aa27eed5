"""One verification at a time: all share one ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pipeline.errors import RejectedError

_KEY = 0x70_72_6F_66  # "prof", among the advisory locks of the database


@contextmanager
def verification_lock(connection: psycopg.Connection, timeout_seconds: float) -> Iterator[None]:
    """Hold the lock of the ledger; the server frees it if the connection ends.

    Raises RejectedError if another verification or erasure has it for longer than ``timeout_seconds``.
    """
    connection.execute("SELECT set_config('lock_timeout', %s, false)", (f"{max(1, int(timeout_seconds * 1000))}ms",))
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", (_KEY,))
    except psycopg.errors.LockNotAvailable as error:
        message = f"another verification or erasure has been running for {timeout_seconds:g} s: try again when it ended"
        raise RejectedError(message) from error
    connection.execute("SELECT set_config('lock_timeout', '0', false)")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_KEY,))
