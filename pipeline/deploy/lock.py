"""One deployment at a time, whoever starts it and from where."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pipeline.errors import NotReadyError, RejectedError
from pipeline.waiting import wait_until

_KEY = 0x64_65_70_6C  # "depl", among the advisory locks of the database


@contextmanager
def deployment_lock(connection: psycopg.Connection, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of deployments; the server frees it if the connection ends.

    Raises RejectedError if another deployment still has it after ``wait_seconds``.
    """
    name = f"pipeline deploy by {getpass.getuser()} on {socket.gethostname()}"
    connection.execute("SELECT set_config('application_name', %s, false)", (name[:63],))

    def acquired() -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (_KEY,)).fetchone()
        return bool(row and row[0])

    try:
        wait_until(acquired, awaiting="another deployment to end", timeout_seconds=wait_seconds)
    except NotReadyError as error:
        message = (
            f"another deployment is running: {_holder(connection)}. Try again when it has ended, or wait longer with "
            "--wait SECONDS."
        )
        raise RejectedError(message) from error
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_KEY,))


def _holder(connection: psycopg.Connection) -> str:
    row = connection.execute(
        "SELECT application_name || ' since ' || to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') "
        "FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND granted",
        (_KEY,),
    ).fetchone()
    return str(row[0]) if row else "it has just ended"
