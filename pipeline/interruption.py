"""Interruptions: SIGTERM ends a command as Ctrl-C does, and neither ends what puts things back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt, so that what must be put back is; only the main thread can hear signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with _handled(signal.default_int_handler, signal.SIGTERM):
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Put SIGINT and SIGTERM off to the end of the block, where KeyboardInterrupt is raised if one has come."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    with _handled(lambda number, _: received.append(number), *_SIGNALS):
        yield
    if received:
        raise KeyboardInterrupt


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT and SIGTERM set until the end of the block, for what ends by itself when told to.

    A thread sets it: a handler would wait in vain for the event's lock if what it interrupts holds that. The queue is
    made to be filled anywhere.
    """
    stop = threading.Event()
    received: SimpleQueue[bool] = SimpleQueue()

    def hear() -> None:
        if received.get():
            stop.set()

    with _handled(lambda *_: received.put(True), *_SIGNALS):
        hearing = threading.Thread(target=hear)
        hearing.start()
        try:
            yield stop
        finally:
            received.put(False)
            hearing.join()


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], object], *numbers: signal.Signals) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)
