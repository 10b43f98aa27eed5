"""Calls of librdkafka that never return: the process ends, and whoever started it starts it again.

Seen with librdkafka 2.16.0: if the broker is killed while a transaction is open, `send_offsets_to_transaction` may wait
for ever, whatever time it was given. A thread in such a call cannot be ended; a transaction that is not committed is
not there, so ending the process loses nothing. Time in which the process itself was frozen does not count.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

log = structlog.get_logger(__name__)

EXIT_CODE = 70  # EX_SOFTWARE of sysexits.h
GRACE_SECONDS = 5.0
_POLL_SECONDS = 1.0

_deadlines: dict[int, tuple[float, str]] = {}  # by thread, in seconds for which the process was awake
_watching = threading.Lock()
_awake_seconds = 0.0


@contextmanager
def returning_within(seconds: float, what: str) -> Iterator[None]:
    """End the process if the block takes longer than it may by more than ``GRACE_SECONDS``."""
    _watch()
    thread = threading.get_ident()
    _deadlines[thread] = (_awake_seconds + seconds + GRACE_SECONDS, what)
    try:
        yield
    finally:
        _deadlines.pop(thread, None)


def _watch() -> None:
    """Start the watching thread, once a process."""
    if _watching.acquire(blocking=False):
        threading.Thread(target=_end_if_hanging, name="hanging-calls", daemon=True).start()


def _end_if_hanging() -> None:
    global _awake_seconds  # noqa: PLW0603 - a clock: there is one, and this thread alone moves it on
    while True:
        time.sleep(_POLL_SECONDS)
        _awake_seconds += _POLL_SECONDS
        for deadline, what in list(_deadlines.values()):
            if _awake_seconds > deadline:
                log.error("call.hanging", what=what, next="the process ends, to be started again")
                os._exit(EXIT_CODE)
