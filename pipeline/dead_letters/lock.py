"""One replay at a time, whoever starts it and from where."""

from __future__ import annotations

from contextlib import AbstractContextManager

import psycopg

from pipeline.clients.advisory_lock import Holder, advisory_lock

_KEY = 0x64_6C_71_72  # "dlqr", the replay's among the advisory locks of the database


def replay_lock(connection: psycopg.Connection) -> AbstractContextManager[None]:
    """Hold the lock of replays. Raises RejectedError at once if another has it."""
    return advisory_lock(connection, _KEY, wait_seconds=0.0, refusal=_refusal)


def _refusal(holder: Holder | None) -> str:
    since = f" since {holder.since}" if holder else ""
    return f"another replay is running{since}: wait until it has ended, then repeat this one"
