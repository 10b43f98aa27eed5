"""The join of two streams: pairs of rows of one key that are close in time.

With GRACE PERIOD an unmatched row of an outer side is put out when its window is closed, without one at once (and
the pairs that come later as well): ksqlDB's older, eager behaviour, whose grace is a day.
"""

from __future__ import annotations

import struct
from bisect import bisect_right, insort
from typing import Any, NamedTuple

from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.keys import KeyCodec
from embedded.ksql.operators.stores import KeyedStore, is_within
from embedded.ksql.operators.stream_aggregate import is_read_as_keyed
from embedded.ksql.operators.window_clock import DAY_MS, NEVER, SWEEP_MS
from embedded.ksql.planning.plan import StreamStreamJoin
from embedded.ksql.types import Schema

Value = tuple[Any, ...]
_TIME = struct.Struct(">q")


class Side(NamedTuple):
    """One side of the join: its buffer, and how far before and after its rows the other side's may lie."""

    is_left: bool
    codec: KeyCodec
    buffer: KeyedStore  # key -> ((time, value), …) in order of time; its times are the newest row's a partition
    before_ms: int
    after_ms: int
    is_outer: bool
    nothing: Value


class StreamStreamJoinOperator:
    """Buffers both sides for as long as a row of the other may still meet them."""

    def __init__(self, node: StreamStreamJoin, context: Context, forward: Forward) -> None:
        self._forward = forward
        size = node.before_ms + node.after_ms
        self._grace = DAY_MS if node.grace_ms is None else node.grace_ms
        self._is_eager = node.grace_ms is None
        self._retention = size + self._grace
        left_outer, right_outer = node.kind in ("LEFT", "FULL"), node.kind in ("RIGHT", "FULL")
        left, right = node.left.schema, node.right.schema
        before, after = node.before_ms, node.after_ms
        self._left = self._side(context, left, before, after, is_left=True, is_outer=left_outer)
        self._right = self._side(context, right, after, before, is_left=False, is_outer=right_outer)
        # (time, side, key) -> (key, [values], partition, window) of the rows that still wait for a match; keys sorted
        self._unmatched = KeyedStore(context.name("join-unmatched"), self._retention)
        context.stores.append(self._unmatched)
        self._waiting: list[bytes] | None = None
        self._swept: dict[bool, int] = {}
        keyed = is_read_as_keyed(node.left) and is_read_as_keyed(node.right)
        self._partition_of = context.partitioner(repartitioned=not keyed)

    def _side(
        self, context: Context, schema: Schema, before: int, after: int, *, is_left: bool, is_outer: bool
    ) -> Side:
        buffer = KeyedStore(context.name("join-left" if is_left else "join-right"), self._retention)
        context.stores.append(buffer)
        nothing = (None,) * len(schema.value)
        return Side(is_left, KeyCodec(schema.key), buffer, before, after, is_outer, nothing)

    def receive_left(self, rows: list[Row]) -> None:
        """Take the left stream's rows."""
        self._receive(rows, self._left, self._right)

    def receive_right(self, rows: list[Row]) -> None:
        """Take the right stream's rows."""
        self._receive(rows, self._right, self._left)

    def _receive(self, rows: list[Row], mine: Side, theirs: Side) -> None:
        out: list[Row] = []
        for row in rows:
            if row.key is not None and row.value is not None:
                key = mine.codec.of(row)
                partition = self._partition_of(key, row)
                now = max(self._time(partition), row.timestamp)
                mine.buffer.times.set(partition, max(row.timestamp, mine.buffer.times.get(partition, NEVER)))
                self._keep(mine, key, row, partition)
                if now == row.timestamp:
                    out += self._close(partition, now, row)
                out += self._match(row, key, mine, theirs, now)
        self._sweep(mine)
        if out:
            self._forward(out)

    def _sweep(self, side: Side) -> None:
        """Forget, now and then, the keys whose rows nothing can meet any more."""
        newest = max(side.buffer.times.by_partition.values(), default=NEVER)
        if newest - self._swept.get(side.is_left, NEVER) < max(self._retention // 2, SWEEP_MS):
            return
        self._swept[side.is_left] = newest
        spans = side.buffer.times.spans(before=self._retention - 1)
        for key, rows in side.buffer.items():
            if not is_within(spans, rows[-1][0]):
                side.buffer.put(key, None)

    def _time(self, partition: int) -> int:
        left, right = self._left.buffer.times, self._right.buffer.times
        return max(left.get(partition, NEVER), right.get(partition, NEVER))

    def _keep(self, side: Side, key: bytes, row: Row, partition: int) -> None:
        """Buffer a row, and drop what of its key no row can meet any more."""
        oldest = side.buffer.times.get(partition, NEVER) - self._retention
        rows = [(time, value) for time, value in side.buffer.get(key) or () if time > oldest]
        insort(rows, (row.timestamp, row.value), key=lambda entry: entry[0])
        side.buffer.put(key, tuple(rows))

    def _match(self, row: Row, key: bytes, mine: Side, theirs: Side, now: int) -> list[Row]:
        partition = self._partition_of(key, row)
        expired = theirs.buffer.times.get(partition, NEVER) - self._retention
        first, last = max(0, row.timestamp - mine.before_ms, expired + 1), max(0, row.timestamp + mine.after_ms)
        out = []
        for time, value in theirs.buffer.get(key) or ():
            if first <= time <= last:
                self._unwait(theirs, key, time)
                out.append(self._pair(row, tuple(value), mine)._replace(timestamp=max(row.timestamp, time)))
        if not out and mine.is_outer:
            if self._is_eager or last < now:
                return [self._pair(row, theirs.nothing, mine)]
            self._wait(mine, key, row)
        return out

    def _pair(self, row: Row, other: Value, mine: Side) -> Row:
        own = tuple(row.value or ())
        return row._replace(value=own + other if mine.is_left else other + own)

    def _wait(self, side: Side, key: bytes, row: Row) -> None:
        waiting = self._index()
        entry = _entry(side, key, row.timestamp)
        known = self._unmatched.get(entry)
        if known is None:
            insort(waiting, entry)
        values = [*known[1], row.value] if known else [row.value]
        self._unmatched.put(entry, (row.key, values, self._partition_of(key, row), row.window))

    def _unwait(self, side: Side, key: bytes, time: int) -> None:
        entry = _entry(side, key, time)
        if side.is_outer and not self._is_eager and self._unmatched.get(entry) is not None:
            self._unmatched.put(entry, None)
            self._index().remove(entry)

    def _close(self, partition: int, now: int, row: Row) -> list[Row]:
        """Put out the partition's unmatched rows whose window is closed, oldest first."""
        if not self._unmatched:
            return []
        waiting, out = self._index(), []
        shortest = min(self._left.after_ms, self._right.after_ms)
        for entry in waiting[: bisect_right(waiting, _TIME.pack(max(0, now - self._grace - shortest)))]:
            (time,) = _TIME.unpack_from(entry)
            side, other = (self._left, self._right) if entry[_TIME.size] else (self._right, self._left)
            stored = self._unmatched.get(entry) or ((), (), None)
            key, values, owner, window = (*stored, None)[:4]  # what an earlier version wrote has no window
            if owner == partition and time + side.after_ms + self._grace < now:
                bounds = None if window is None else (window[0], window[1])
                waited = row._replace(key=tuple(key), timestamp=time, window=bounds)
                found = [waited._replace(value=tuple(value)) for value in values]
                out += [self._pair(one, other.nothing, side) for one in found]
                self._unmatched.put(entry, None)
                waiting.remove(entry)
        return out

    def _index(self) -> list[bytes]:
        if self._waiting is None:
            self._waiting = sorted(key for key, _ in self._unmatched.items())
        return self._waiting


def _entry(side: Side, key: bytes, time: int) -> bytes:
    """Return the key of unmatched rows; it sorts as in Kafka Streams: by time, right before left, key."""
    return _TIME.pack(time) + (b"\x01" if side.is_left else b"\x00") + key
