"""Which windows are closed, by group-partition, without hashing a key unless it matters.

A window of size s that starts at b is closed for a partition when its stream time t has reached b + s + grace. In
units of the advance a, window i is closed when i <= (t - s - grace) // a, so that number is all that is kept of a
partition's stream time. A row whose own number is not above the lowest of all partitions changes nothing, and a
window above the highest is open everywhere: only between the two has a key to be hashed.
"""

from __future__ import annotations

from embedded.ksql.operators.stores import Span, Times
from embedded.ksql.planning.plan import WindowSpec

DAY_MS = 86_400_000
NEVER = -(1 << 62)
#: State past its retention is looked for once in this much stream time, or in half the retention if that is more
SWEEP_MS = 60_000


class Windows:
    """A TUMBLING or HOPPING clause with its defaults filled in."""

    def __init__(self, spec: WindowSpec, *, final: bool = False) -> None:
        self.size = spec.size_ms
        self.advance = spec.advance_ms or spec.size_ms
        # Without GRACE PERIOD ksqlDB takes records until a day after the window's start; EMIT FINAL waits for none.
        default = 0 if final else max(0, DAY_MS - spec.size_ms)
        self.grace = default if spec.grace_ms is None else spec.grace_ms
        self.retention = max(spec.retention_ms or 0, self.size + self.grace)

    def first(self, timestamp: int) -> int:
        """Return the index of the first window that covers a time; the last is ``timestamp // advance``."""
        return max(0, timestamp - self.size + self.advance) // self.advance

    def bounds(self, index: int) -> tuple[int, int]:
        """Return a window's start and end."""
        return index * self.advance, index * self.advance + self.size


class WindowClock:
    """The index of the last closed window, by partition."""

    def __init__(self, windows: Windows, partitions: int | None, times: Times) -> None:
        self.windows = windows
        self.closed = times.by_partition
        self.lowest = self.highest = NEVER
        self._times = times
        self._partitions = partitions

    def observe(self, partition: int, closed: int) -> None:
        """Let a partition's time advance to where a window is closed."""
        if closed > self._times.get(partition, NEVER):
            self._times.set(partition, closed)
            self.refresh()

    def refresh(self) -> None:
        """Take over what the times say, e.g. after they were restored."""
        self.highest = max(self.closed.values(), default=NEVER)
        # A partition that no row was seen of may still be at any time, so its rows must be hashed.
        is_complete = self._partitions is not None and len(self.closed) >= self._partitions
        self.lowest = min(self.closed.values()) if is_complete else NEVER

    def is_closed(self, partition: int, index: int) -> bool:
        """Whether a window is closed for a partition."""
        return index <= self.closed.get(partition, NEVER)

    def kept(self) -> list[Span]:
        """Return the spans of windows that some partition has reached and that are not past its retention."""
        windows = self.windows
        open_for = windows.size + windows.grace
        return self._times.spans(
            before=-(-(windows.retention - open_for) // windows.advance), after=-(-open_for // windows.advance)
        )
