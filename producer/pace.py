"""How fast records are sent."""

import threading
import time
from collections.abc import Callable

SLICE_SECONDS = 0.1  # how late a stop may be noticed


class Pace:
    """Record i is due at start + i / rate by the monotonic clock: a late record does not delay the later ones."""

    def __init__(
        self,
        rate: float,
        stop: threading.Event,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval_seconds = 1 / rate
        self._clock = clock
        self._sleep = sleep
        self._stop = stop
        self._start = clock()

    def wait(self, index: int, serve: Callable[[], object]) -> None:
        """Return when the record of that index is due or the run is stopped; calls `serve` meanwhile.

        Sleeps in slices instead of `Event.wait`: that holds a lock which a signal handler that sets the event would
        wait for in vain.
        """
        due = self._start + index * self._interval_seconds
        while (seconds := due - self._clock()) > 0 and not self._stop.is_set():
            serve()
            self._sleep(min(seconds, SLICE_SECONDS))
