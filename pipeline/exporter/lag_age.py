"""How long a consumer has been behind, in seconds, whatever time stands in the records.

Records carry event time here (a backfill writes old times), so a record's timestamp says nothing about the lag. What
does: when the partition's end passed the committed position. That needs memory, so the first answers after a start
are lower bounds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable

_MOST_SAMPLES = 4096


class LagAge:
    """The ends of partitions as they were seen, in seconds of one monotonic clock."""

    def __init__(self) -> None:
        self._ends: dict[Hashable, list[tuple[float, int]]] = defaultdict(list)

    def seconds(self, partition: Hashable, *, now: float, end: int, committed: int) -> float:
        """Note the end; return how long ago it was first seen behind the committed position, 0 if it is not."""
        # What lies beyond the end is of a topic of this name that is gone.
        seen = [sample for sample in self._ends[partition] if committed < sample[1] <= end]
        if end > committed and (not seen or seen[-1][1] != end):
            seen.append((now, end))
        if len(seen) > _MOST_SAMPLES:
            seen = [seen[0], *seen[2::2]]  # the oldest gives the answer; between the others, half as many do
        self._ends[partition] = seen
        return now - seen[0][0] if seen else 0.0
