"""When events happen: live by the clock, or spread over a span of the past."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from producer.avro import milliseconds

LIVE_GAP_MS = 1.0  # between two events when nothing limits the rate
REPRODUCIBLE_GAP_MS = 10.0
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The time of each event by its index.

    `planned` is deterministic: a generator decides by it. `stamp` is what is written: the planned time, or what the
    clock says for live events.
    """

    start_ms: int
    gap_ms: float
    clock_ms: Callable[[], int] | None = None

    def planned(self, index: int) -> float:
        """Return the time in milliseconds at which the event of that index is planned."""
        return self.start_ms + index * self.gap_ms

    def stamp(self, planned_ms: float) -> int:
        """Return the time in milliseconds to write for an event planned at that time."""
        return int(planned_ms) if self.clock_ms is None else self.clock_ms()


def live(now: datetime, rate: float | None, clock_ms: Callable[[], int] | None) -> Timeline:
    """Return the timeline of events that happen now; without a clock the planned times are written."""
    return Timeline(milliseconds(now), 1000 / rate if rate else LIVE_GAP_MS, clock_ms)


def backdated(now: datetime, since: timedelta, events: int) -> Timeline:
    """Return the timeline of that many events, spread evenly over the span that ends now."""
    span_ms = since // timedelta(milliseconds=1)
    return Timeline(milliseconds(now) - span_ms, span_ms / events)


def reproducible(now: datetime, since: timedelta | None, events: int | None) -> Timeline:
    """Return a timeline that stays the same all day (UTC), for events that are the same whenever they are made.

    Were only the ids reproducible and the times not, then the same id would come with different content: one reader
    keeps the first event, another the last. The span ends where the day of `now` begins; without `since` it is the day
    before, longer only for more events than fit, so that fewer events are the beginning of more.
    """
    midnight = datetime.combine(now.astimezone(UTC).date(), datetime.min.time(), UTC)
    if since is not None and events is not None:
        return backdated(midnight, since, events)
    span = max(DAY, timedelta(milliseconds=REPRODUCIBLE_GAP_MS) * (events or 0))
    return Timeline(milliseconds(midnight - span), REPRODUCIBLE_GAP_MS)


class EventIds:
    """UUIDs of version 7, random but for the time of the event, from a seeded generator.

    The table's index on them grows at its end: random ones cost PostgreSQL up to twice the processor time after a
    million rows. Drawn in blocks: formatting `uuid.UUID` one by one costs four times as much.
    """

    BLOCK = 512

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._tails: list[str] = []
        self._ms = -1
        self._head = ""

    def next(self, ms: int) -> str:
        """Return an id that was not returned before, for an event at that time in milliseconds."""
        if not self._tails:
            digits = self._rng.randbytes(self.BLOCK * 10).hex()
            self._tails = [
                f"7{block[1:4]}-a{block[5:8]}-{block[8:]}"
                for block in (digits[start : start + 20] for start in range(0, len(digits), 20))
            ]
        if ms != self._ms:
            time = f"{ms:012x}"
            self._ms, self._head = ms, f"{time[:8]}-{time[8:]}-"
        return self._head + self._tails.pop()
