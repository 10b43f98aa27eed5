"""One at a time, whoever starts it and from where: PostgreSQL's advisory locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from pipeline.errors import NotReadyError, RejectedError
from pipeline.waiting import wait_until


@dataclass(frozen=True, slots=True)
class Holder:
    """The connection that has a lock: its application_name, and since when it is open, as text."""

    name: str
    since: str


@contextmanager
def advisory_lock(
    connection: psycopg.Connection, key: int, *, wait_seconds: float, refusal: Callable[[Holder | None], str]
) -> Iterator[None]:
    """Hold the lock ``key``; the server frees it if the connection ends.

    Raises RejectedError if another still has it after ``wait_seconds``; ``refusal`` words it, and is given the holder,
    or None where it has just let go.
    """

    def acquired() -> bool:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
        return bool(row and row[0])

    try:
        wait_until(acquired, awaiting="an advisory lock", timeout_seconds=wait_seconds)
    except NotReadyError as error:
        raise RejectedError(refusal(_holder(connection, key))) from error
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(%s)", (key,))


def _holder(connection: psycopg.Connection, key: int) -> Holder | None:
    row = connection.execute(
        "SELECT application_name, to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS TZ') "
        "FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND classid = 0 AND objid = %s AND granted",
        (key,),
    ).fetchone()
    return Holder(*row) if row else None
