"""What the runtime and the operators say to each other: rows in, rows out, stores that can be restored.

A ``Topology`` is one query ready to run. It knows nothing of Kafka: the runtime decodes records into rows, calls
``process``, ``flush`` and ``drain``, and writes what comes out, together with the stores' changes and the input
offsets, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from embedded.ksql.planning.plan import Sink, Source


class Row(NamedTuple):
    """One record as the operators see it: key and value columns in the order of the schema.

    ``key`` is None where the record had no key; ``value`` is None for a tombstone (or a null record of a stream);
    ``window`` is (start, end) in milliseconds, end exclusive except for sessions.
    """

    key: tuple[Any, ...] | None
    value: tuple[Any, ...] | None
    timestamp: int
    window: tuple[int, int] | None = None
    partition: int = 0
    offset: int = 0


class Times(Protocol):
    """Stream time by group-partition."""

    def begin(self, partitions: int) -> None:
        """Let partitions that were added begin at the time of the slowest that is known."""
        ...


class Store(Protocol):
    """State of one operator, kept in memory, mirrored in a changelog topic.

    Keys and values are bytes of the store's own making; ``partition_key`` bytes decide the changelog partition.
    """

    name: str
    retention_ms: int | None  # None: for ever (changelog is compacted only)

    @property
    def times(self) -> Times:
        """The stream times that the operator keeps; none if it needs none."""
        ...

    def drain_changes(self) -> list[tuple[bytes, bytes | None]]:
        """Return what changed since the last call, the last value per key; None deletes."""
        ...

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Put one changelog record back."""
        ...

    def __len__(self) -> int:
        """Return how many keys (times windows) live."""
        ...


class Materialized(Protocol):
    """The rows of a table, for pull queries."""

    def rows(self) -> Iterator[Row]:
        """Yield every live row (each window of each key), a consistent snapshot."""
        ...

    def get(self, key: tuple[Any, ...]) -> Sequence[Row]:
        """Return the live rows of one key: at most one, or one a window."""
        ...


class ExpressionFailure(NamedTuple):
    """A row that an expression could not handle, and the topic it came with; the query skips it and goes on."""

    row: Row
    message: str
    topic: str


class Topology(Protocol):
    """One query, built from its plan."""

    plan: Sink
    sources: tuple[Source, ...]
    stores: tuple[Store, ...]
    materialized: Materialized | None

    def process(self, source: int, rows: Sequence[Row]) -> None:
        """Run rows of ``sources[source]`` through the query, in order."""
        ...

    def advance(self, now_ms: int) -> None:
        """Tell the wall clock's time; joins and EMIT FINAL may put out rows that waited for it."""
        ...

    def flush(self) -> None:
        """Put out what a record cache held back (before a commit). Without a cache: nothing to do."""
        ...

    def drain(self) -> list[Row]:
        """Return the output rows since the last call, in order."""
        ...

    def drain_failures(self) -> list[ExpressionFailure]:
        """Return the rows that failed in an expression since the last call."""
        ...
