"""One deployment at a time, whoever starts it and from where."""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pipeline.clients.advisory_lock import Holder, advisory_lock

_KEY = 0x64_65_70_6C  # "depl", among the advisory locks of the database


@contextmanager
def deployment_lock(connection: psycopg.Connection, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of deployments. Raises RejectedError if another deployment still has it after ``wait_seconds``."""
    name = f"pipeline deploy by {getpass.getuser()} on {socket.gethostname()}"
    connection.execute("SELECT set_config('application_name', %s, false)", (name[:63],))
    with advisory_lock(connection, _KEY, wait_seconds=wait_seconds, refusal=_refusal):
        yield


def _refusal(holder: Holder | None) -> str:
    who = f"{holder.name} since {holder.since}" if holder else "it has just ended"
    return f"another deployment is running: {who}. Try again when it has ended, or wait longer with --wait SECONDS."
