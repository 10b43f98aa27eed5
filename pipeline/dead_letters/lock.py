"""One replay at a time, whoever starts it and from where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pipeline.errors import RejectedError

_KEY = 0x64_6C_71_72  # "dlqr", the replay's among the advisory locks of the database


@contextmanager
def replay_lock(connection: psycopg.Connection) -> Iterator[None]:
    """Hold the lock of replays; the server frees it if the connection ends. Raises RejectedError if another has it."""
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_KEY,)).fetchone()
    if not (row and row[0]):
        message = f"another replay is running{_holder(connection)}: wait until it has ended, then repeat this one"
        raise RejectedError(message)
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_KEY,))


def _holder(connection: psycopg.Connection) -> str:
    row = connection.execute(
        "SELECT to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND granted",
        (_KEY,),
    ).fetchone()
    return f" since {row[0]}" if row else ""
