"""Calls of librdkafka that never return: the process ends, and whoever started it starts it again.

Seen with librdkafka 2.16.0: if the broker is killed while a transaction is open, `send_offsets_to_transaction` may wait
for ever, whatever time it was given. A thread in such a call cannot be ended; a transaction that is not committed is
not there, so ending the process loses nothing.
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

_deadlines: dict[int, tuple[float, str]] = {}  # by thread
_watching = threading.Lock()


@contextmanager
def returning_within(seconds: float, what: str) -> Iterator[None]:
    """End the process if the block takes longer than it may by more than ``GRACE_SECONDS``."""
    _watch()
    thread = threading.get_ident()
    _deadlines[thread] = (time.monotonic() + seconds + GRACE_SECONDS, what)
    try:
        yield
    finally:
        _deadlines.pop(thread, None)


def _watch() -> None:
    """Start the watching thread, once a process."""
    if _watching.acquire(blocking=False):
        threading.Thread(target=_end_if_hanging, name="hanging-calls", daemon=True).start()


def _end_if_hanging() -> None:
    while True:
        time.sleep(_POLL_SECONDS)
        now = time.monotonic()
        for deadline, what in list(_deadlines.values()):
            if now > deadline:
                log.error("call.hanging", what=what, next="the process ends, to be started again")
                os._exit(EXIT_CODE)
