"""A query put together: what the runtime drives."""

from __future__ import annotations

from collections.abc import Sequence

from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.interface import ExpressionFailure, Materialized, Row, Store
from embedded.ksql.planning.plan import Sink, Source


class Query:
    """Operators behind the ``Topology`` interface."""

    def __init__(self, plan: Sink, context: Context) -> None:
        self.plan = plan
        self.sources: tuple[Source, ...] = ()
        self.stores: tuple[Store, ...] = ()
        self.materialized: Materialized | None = None
        self._context = context
        self._entries: list[Forward] = []
        self._out: list[Row] = []

    def connect(self, sources: Sequence[Source], entries: Sequence[Forward]) -> None:
        """Say where each source's rows go in, once all operators are built."""
        self.sources = tuple(sources)
        self.stores = tuple(self._context.stores)
        self.materialized = self._context.materialized
        self._entries = list(entries)

    def collect(self, rows: list[Row]) -> None:
        """Take output rows."""
        self._out += rows

    def process(self, source: int, rows: Sequence[Row]) -> None:
        """Run a source's rows through the query, in order."""
        self._context.topic = self.sources[source].topic
        self._entries[source](list(rows))

    def advance(self, now_ms: int) -> None:
        """Nothing here waits for the wall clock: windows close by stream time alone, as soon as it passes.

        Kafka Streams looks for closed windows at most once a second, which changes when rows come, not which.
        """

    def flush(self) -> None:
        """Put out what the record caches hold, those nearest to the sources first."""
        for flush in reversed(self._context.flushes):
            flush()

    def drain(self) -> list[Row]:
        """Return the output rows since the last call."""
        out, self._out = self._out, []
        return out

    def drain_failures(self) -> list[ExpressionFailure]:
        """Return the rows that failed in an expression since the last call."""
        failures = self._context.failures[:]
        self._context.failures.clear()
        return failures
