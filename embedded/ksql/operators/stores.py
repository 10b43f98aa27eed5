"""Stores as the runtime sees them: named, drained into a changelog, restored from it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from embedded.ksql.operators.packing import pack, unpack
from embedded.ksql.operators.spill import Spill
from embedded.ksql.operators.state_table import State, StateTable

Changes = list[tuple[bytes, bytes | None]]
Span = tuple[int, int]

#: No key has these bytes: text never starts with 0xff, packed keys neither, and numbers have other lengths
TIMES_KEY = b"\xff times"
EXPIRY_BATCH = 5_000
_INDEX = struct.Struct(">q")


class Times:
    """Times by partition that must survive a restart, kept under one key of an operator's store."""

    def __init__(self) -> None:
        self.by_partition: dict[int, int] = {}
        self._changed = False

    def get(self, partition: int, default: int) -> int:
        """Return the partition's time."""
        return self.by_partition.get(partition, default)

    def set(self, partition: int, time: int) -> None:
        """Set the partition's time."""
        self.by_partition[partition] = time
        self._changed = True

    def begin(self, partitions: int) -> None:
        """Let partitions that were added begin at the time of the slowest that is known.

        What was dropped before that is late for them, too: keys that move there come from partitions that were later.
        """
        slowest = min(self.by_partition.values(), default=None)
        for partition in range(partitions):
            if slowest is not None and partition not in self.by_partition:
                self.set(partition, slowest)

    def spans(self, before: int, after: int = 0) -> list[Span]:
        """Return, merged, from how long before to how long after each partition's time its state is kept.

        State is dropped where no partition keeps any: one that is far behind, or gets no records, needs nothing that
        is newer than its own time, and so does not keep the others from dropping theirs.
        """
        merged: list[Span] = []
        for time in sorted(self.by_partition.values()):
            first = merged.pop()[0] if merged and time - before <= merged[-1][1] else time - before
            merged.append((first, time + after))
        return merged

    def drain(self) -> Changes:
        """Return the change since the last call."""
        if not self._changed:
            return []
        self._changed = False
        return [(TIMES_KEY, pack(list(self.by_partition.items())))]

    def restore(self, value: bytes | None) -> None:
        """Put the drained times back."""
        self.by_partition.clear()
        self.by_partition.update({} if value is None else dict(unpack(value)))


def is_within(spans: Sequence[Span], time: int) -> bool:
    """Whether a time is within one of the spans."""
    return any(first <= time <= last for first, last in spans)


class KeyedStore:
    """One state a key: a table's rows, an aggregation without a window, sessions, join buffers."""

    def __init__(self, name: str, retention_ms: int | None = None) -> None:
        self.name = name
        self.retention_ms = retention_ms
        self._spill = Spill()
        self.table = StateTable(self._spill)
        self.times = Times()

    def get(self, key: bytes) -> State | None:
        """Return the key's state."""
        return self.table.load(key)

    def put(self, key: bytes, state: State | None) -> None:
        """Set the key's state; None removes it."""
        if state is None:
            self.table.remove(key)
        else:
            self.table.put(key, state)

    def items(self) -> Iterator[tuple[bytes, State]]:
        """Yield every key and state."""
        return self.table.items()

    def drain_changes(self) -> Changes:
        """Return what changed since the last call."""
        changes = self.times.drain() + self.table.drain()
        self._settle()
        return changes

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Put one changelog record back."""
        if key == TIMES_KEY:
            self.times.restore(value)
        else:
            self.table.restore(key, value)
            self._settle()

    def __len__(self) -> int:
        return len(self.table)

    def _settle(self) -> None:
        if self._spill.is_due:
            self._spill.move([self.table.packed])


class WindowStore:
    """One state a key and window; windows are numbered by their start in units of the advance.

    Expired windows leave memory at once where nothing has to be said about them, and the changelog little by
    little: a day's million keys must not stop the query for seconds.
    """

    def __init__(self, name: str, advance_ms: int, retention_ms: int) -> None:
        self.name = name
        self.retention_ms: int | None = retention_ms
        self.advance_ms = advance_ms
        self.times = Times()
        self.windows: dict[int, StateTable] = {}
        self._spill = Spill()
        self._expiring: list[_Expiring] = []

    def window(self, index: int) -> StateTable:
        """Return the states of one window."""
        table = self.windows.get(index)
        if table is None:
            table = self.windows[index] = StateTable(self._spill)
        return table

    def expire(self, kept: Sequence[Span]) -> None:
        """Drop the windows whose index is in none of the spans."""
        for index in sorted(index for index in self.windows if not is_within(kept, index)):
            suffix = _INDEX.pack(index * self.advance_ms)
            self._expiring.append(_Expiring(self.windows.pop(index), suffix))

    def drain_changes(self) -> Changes:
        """Return what changed since the last call."""
        changes = self.times.drain()
        for index, table in self.windows.items():
            if table.changed or table.removed:
                suffix = _INDEX.pack(index * self.advance_ms)
                changes.extend((key + suffix, value) for key, value in table.drain())
        changes.extend(self._drain_expired())
        self._settle()
        return changes

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Put one changelog record back."""
        if key == TIMES_KEY:
            self.times.restore(value)
        else:
            (start,) = _INDEX.unpack_from(key, len(key) - _INDEX.size)
            self.window(start // self.advance_ms).restore(key[: -_INDEX.size], value)
            self._settle()

    def __len__(self) -> int:
        return sum(len(table) for table in self.windows.values())

    def _settle(self) -> None:
        if self._spill.is_due:
            gone = [expired.table for expired in self._expiring]
            self._spill.move(table.packed for table in (*self.windows.values(), *gone))

    def _drain_expired(self) -> Changes:
        changes: Changes = []
        while self._expiring and len(changes) < EXPIRY_BATCH:
            key = self._expiring[0].pop()
            if key is None:
                self._expiring.pop(0)
            else:
                changes.append((key, None))
        return changes


class _Expiring:
    """An expired window's keys, of which each still needs a tombstone in the changelog."""

    def __init__(self, table: StateTable, suffix: bytes) -> None:
        self.table = table
        self._suffix = suffix
        table.changed, table.recent = {}, {}

    def pop(self) -> bytes | None:
        """Let go of a key and return its changelog key; None after the last one."""
        table = self.table
        if table.removed:
            return table.removed.pop() + self._suffix
        if not table.packed:
            return None
        key = next(reversed(table.packed))
        table.restore(key, None)
        return key + self._suffix
