"""Counters of what is read from and written to a stream or table, as DESCRIBE prints them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from embedded.ksql.runtime.running import RunningQuery

MILLISECONDS = 1_000
DEPRECATED = (
    "The statistics field is deprecated and will be removed in a future version of ksql. "
    "Please update your client to the latest version and use statisticsMap instead.\n"
)


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """How many records queries wrote and read since they were started, and when the last one was."""

    written: int
    read: int
    last_ms: int

    def text(self) -> str:
        """Return the line of DESCRIBE … EXTENDED; nothing if there was no record."""
        counts = [f"{name}: {value:9.0f}" for name, value in self._counters().items()]
        if not counts:
            return ""
        last = datetime.fromtimestamp(self.last_ms / MILLISECONDS, UTC).isoformat(timespec="milliseconds")
        return f"{DEPRECATED}{' '.join(counts)}     last-message: {last.replace('+00:00', 'Z')}"

    def documents(self) -> list[dict[str, Any]]:
        """Return the entries of clusterStatistics."""
        return [statistic(name, value) for name, value in self._counters().items()]

    def _counters(self) -> dict[str, float]:
        counters = {"total-messages": self.written, "consumer-total-messages": self.read}
        return {name: value for name, value in counters.items() if value}


def source_statistics(writing: Sequence[RunningQuery], reading: Sequence[RunningQuery]) -> SourceStatistics:
    """Add up the counters of the queries that write and read a source."""
    return SourceStatistics(
        written=sum(query.worker.statistics.records_out for query in writing),
        read=sum(query.worker.statistics.records_in for query in reading),
        last_ms=max((query.worker.statistics.last_message_ms for query in (*writing, *reading)), default=0),
    )


def statistic(name: str, value: float) -> dict[str, Any]:
    """Return one entry of clusterStatistics or clusterErrorStats."""
    now = int(time.time() * MILLISECONDS)
    return {"name": name, "host": "embedded", "value": float(value), "timestamp": now}
