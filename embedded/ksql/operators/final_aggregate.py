"""EMIT FINAL: TUMBLING and HOPPING aggregations that put each window out once, when it is closed.

As in Kafka Streams the windows of a group-partition are put out when its stream time closes them, in order of their
start and key, from a store that has already dropped what is past its retention: a jump by more than that loses the
windows in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.group_functions import GroupFunctions, Inputs
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.state_table import State
from embedded.ksql.operators.stores import Times, WindowStore
from embedded.ksql.operators.stream_aggregate import groups_by_key
from embedded.ksql.operators.window_clock import NEVER, Windows
from embedded.ksql.planning.plan import Aggregate


class FinalAggregate:
    """Holds windows back until they are closed. A state's flag is the group-partition it belongs to."""

    def __init__(self, node: Aggregate, context: Context, forward: Forward) -> None:
        assert node.window is not None  # noqa: S101 - the builder has looked
        self._forward = forward
        self._windows = Windows(node.window, final=True)
        self._groups = GroupFunctions(node, None, context)
        self._partition_of = context.partitioner(repartitioned=not groups_by_key(node))
        self._store = WindowStore(context.name("final"), self._windows.advance, self._windows.retention)
        context.stores.append(self._store)
        self._times: Times = self._store.times

    def receive(self, rows: list[Row]) -> None:
        """Take the rows of one batch."""
        out: list[Row] = []
        width = len(self._groups.node.keys)
        for row in rows:
            if row.value is None:
                continue
            inputs = self._groups.extract(row)
            if None not in inputs[:width]:
                out += self._add(inputs, row, inputs[:width])
        advance = self._windows.advance
        spans = self._times.spans(before=self._windows.retention + advance)
        self._store.expire([(-(-first // advance), last // advance) for first, last in spans])
        if out:
            self._forward(out)

    def _add(self, inputs: Inputs, row: Row, group: Inputs) -> list[Row]:
        key = self._groups.codec.encode(group)
        partition, windows = self._partition_of(key, row), self._windows
        before = self._times.get(partition, NEVER)
        now = max(before, row.timestamp)
        if now > before:
            self._times.set(partition, now)
        for index in range(windows.first(row.timestamp), row.timestamp // windows.advance + 1):
            if windows.bounds(index)[1] > now - windows.grace:
                table = self._store.window(index)
                state = self._groups.add(table.load(key) or self._groups.start(), inputs, row.timestamp)
                table.put(key, (state[0], partition, *state[2:]))
        return self._close(partition, before - windows.grace, now) if now > before else []

    def _close(self, partition: int, done: int, now: int) -> list[Row]:
        """Return the rows of the partition's windows that end after ``done`` and are closed now."""
        live, rows = self._live_from(now), []
        for index in sorted(self._store.windows):
            start, end = self._windows.bounds(index)
            if done < end <= now - self._windows.grace and start >= live:
                states = self._store.windows[index].items()
                closing = sorted(((key, state) for key, state in states if state[1] == partition), key=_by_key)
                rows += [row for key, state in closing if (row := self._groups.row(key, state, (start, end)))]
        return rows

    def _live_from(self, now: int) -> int:
        """Return the earliest start of a window that the store keeps, after a put into the newest one."""
        newest = now // self._windows.advance * self._windows.advance
        return newest - self._windows.retention

    def rows(self) -> Iterator[Row]:
        """Yield every window's row, those that are still open included."""
        for index, table in sorted(self._store.windows.items()):
            for key, state in table.items():
                row = self._groups.row(key, state, self._windows.bounds(index))
                if row is not None:
                    yield row

    def get(self, key: tuple[Any, ...]) -> Sequence[Row]:
        """Return one key's rows, one a window."""
        encoded, bounds = self._groups.codec.encode(key), self._windows.bounds
        found = [(table.load(encoded), bounds(index)) for index, table in sorted(self._store.windows.items())]
        rows = (self._groups.row(encoded, state, window) for state, window in found if state)
        return [row for row in rows if row is not None]


def _by_key(entry: tuple[bytes, State]) -> bytes:
    return entry[0]
