"""Aggregation of a stream in SESSION windows, which grow and merge, and their EMIT FINAL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.group_functions import GroupFunctions, Inputs
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.state_table import State
from embedded.ksql.operators.stores import KeyedStore, is_within
from embedded.ksql.operators.stream_aggregate import groups_by_key
from embedded.ksql.operators.window_clock import DAY_MS, NEVER, SWEEP_MS
from embedded.ksql.planning.plan import Aggregate, Filter, WindowSpec

FOREVER = -NEVER
Bounds = tuple[int, int]  # start, end (the time of the last row)
Session = tuple[int, int, State]


class SessionAggregate:
    """Keeps each key's sessions in one entry, oldest first.

    A session that takes up a row or another session is deleted under its old bounds before the new one is put out.
    The states of an EMIT FINAL have their group-partition for a flag.
    With a record cache ``flush`` puts out what is left of that: no session that came and went since, nor its deletion.
    """

    def __init__(
        self, node: Aggregate, having: Filter | None, context: Context, forward: Forward, *, final: bool = False
    ) -> None:
        spec: WindowSpec = node.window  # type: ignore[assignment]  # the builder has looked
        self._forward, self._final, self._cache = forward, final, context.cache and not final
        self._groups = GroupFunctions(node, None if final else having, context)
        self._partition_of = context.partitioner(repartitioned=not groups_by_key(node))
        self._gap = spec.size_ms
        self._grace = spec.grace_ms if spec.grace_ms is not None else 0 if final else max(0, DAY_MS - self._gap)
        retention = max(spec.retention_ms or 0, self._gap + self._grace)
        self._retention = retention
        self._store = KeyedStore(context.name("sessions"), retention)
        context.stores.append(self._store)
        self._times = self._store.times
        self._swept = NEVER
        #: lower bounds of when the partitions' sessions that were not put out yet end; unknown after a restart
        self._earliest: dict[int, int] = {}
        self._pending: dict[tuple[bytes, Bounds], Row] = {}
        self._deleted: list[Row] = []
        if self._cache:
            context.flushes.append(self.flush)

    def receive(self, rows: list[Row]) -> None:
        """Take the rows of one batch."""
        out: list[Row] = []
        width = len(self._groups.node.keys)
        for row in rows:
            if row.value is None:
                continue
            inputs = self._groups.extract(row)
            if None not in inputs[:width]:
                self._add(inputs, row, inputs[:width], out)
        if not self._pending:
            self._sweep()
        if out:
            self._forward(out)

    def flush(self) -> None:
        """Put out the last update of every session that changed."""
        out, self._deleted = self._deleted, []
        for (key, bounds), row in self._pending.items():
            sessions = self._sessions(key)
            index = next(index for index, one in enumerate(sessions) if one[:2] == bounds)
            state, decided = self._groups.decide(self._groups.codec.decode(key), sessions[index][2], bounds, row)
            sessions[index] = (*bounds, state)
            self._store.put(key, tuple(sessions))
            out += [] if decided is None else [decided._replace(timestamp=bounds[1])]
        self._pending.clear()
        self._sweep()
        if out:
            self._forward(out)

    def _add(self, inputs: Inputs, row: Row, group: Inputs, out: list[Row]) -> None:
        key = self._groups.codec.encode(group)
        time, partition = row.timestamp, self._partition_of(key, row)
        before = self._times.get(partition, NEVER)
        if time > before:
            self._times.set(partition, time)
        closed = max(time, before) - self._grace - self._gap
        sessions = self._sessions(key)
        merged = [one for one in sessions if one[1] >= time - self._gap and one[0] <= time + self._gap]
        start = min([time, *(one[0] for one in merged)])
        end = max([time, *(one[1] for one in merged)])
        if end >= closed:
            state = self._groups.add(self._merge(merged), inputs, end)
            if self._final:
                state = (state[0], partition, *state[2:])
                self._earliest[partition] = min(end, self._earliest.get(partition, NEVER))
            elif self._cache:
                state = (state[0], self._hold(key, (start, end), merged, row), *state[2:])
            else:
                if (start, end) != (time, time):
                    out += self._deletions(group, merged, row)
                    state = (state[0], False, *state[2:])
                state, decided = self._groups.decide(group, state, (start, end), row)
                out += [] if decided is None else [decided._replace(timestamp=end)]
            kept = [one for one in sessions if one not in merged]
            self._store.put(key, tuple(sorted([*kept, (start, end, state)], key=lambda one: one[:2])))
        if self._final:
            out += self._close(partition, before, closed)

    def _hold(self, key: bytes, bounds: Bounds, merged: Sequence[Session], row: Row) -> bool:
        """Leave a session, and the deletion of those merged into it, to ``flush``; return whether it was put out."""
        for start, end, _ in merged:
            self._pending.pop((key, (start, end)), None)
        self._pending[key, bounds] = row
        gone = [one for one in merged if one[:2] != bounds]
        self._deleted += self._deletions(self._groups.codec.decode(key), gone, row)
        return any(one[2][1] for one in merged if one[:2] == bounds)

    def _merge(self, sessions: Sequence[Session]) -> State:
        """Return the state of all; a lone session's flag stays."""
        state = self._groups.start()
        for index, (_, _, other) in enumerate(sessions):
            state = self._groups.merge(state, other)
            if index == 0:
                state = (state[0], other[1], *state[2:])
        return state

    def _deletions(self, group: Inputs, sessions: Sequence[Session], row: Row) -> list[Row]:
        return [
            Row(group, None, end, (start, end), row.partition, row.offset) for start, end, state in sessions if state[1]
        ]

    def _close(self, partition: int, before: int, closed: int) -> list[Row]:
        """Return the sessions of a partition that ended before ``closed``, and had not when time was ``before``."""
        done = before - self._grace - self._gap
        if closed <= max(done, self._earliest.get(partition, NEVER)):
            return []
        waiting = [
            (end, start, key, state)
            for key, sessions in self._store.items()
            for start, end, state in sessions
            if done <= end and state[1] == partition
        ]
        self._earliest[partition] = min((end for end, *_ in waiting if end >= closed), default=FOREVER)
        rows = []
        for end, start, key, state in sorted((one for one in waiting if one[0] < closed), key=lambda one: one[:3]):
            closing = self._groups.row(key, state, (start, end))
            rows += [] if closing is None else [closing._replace(timestamp=end)]
        return rows

    def _sessions(self, key: bytes) -> list[Session]:
        return [(start, end, tuple(state)) for start, end, state in self._store.get(key) or ()]

    def _sweep(self) -> None:
        """Forget sessions past their retention, now and then."""
        newest = max(self._times.by_partition.values(), default=NEVER)
        if newest - self._swept < max(self._retention // 2, SWEEP_MS):
            return
        self._swept = newest
        spans = self._times.spans(before=self._retention)
        for key, sessions in self._store.items():
            kept = tuple(one for one in sessions if is_within(spans, one[1]))
            if len(kept) != len(sessions):
                self._store.put(key, kept or None)

    def rows(self) -> Iterator[Row]:
        """Yield every session's row."""
        for key, sessions in self._store.items():
            yield from self._rows(key, sessions)

    def get(self, key: tuple[Any, ...]) -> Sequence[Row]:
        """Return one key's sessions."""
        encoded = self._groups.codec.encode(key)
        return list(self._rows(encoded, self._store.get(encoded) or ()))

    def _rows(self, key: bytes, sessions: Sequence[Session]) -> Iterator[Row]:
        for start, end, state in sessions:
            row = self._groups.row(key, state, (start, end))
            if row is not None:
                yield row._replace(timestamp=end)
