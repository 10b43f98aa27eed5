"""Aggregation of a stream, without a window or in TUMBLING or HOPPING windows: the hot loop of most queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.group_functions import GroupFunctions, Inputs, Window
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.loop_code import LoopOptions, loop_source
from embedded.ksql.operators.state_table import StateTable
from embedded.ksql.operators.stores import KeyedStore, WindowStore
from embedded.ksql.operators.window_clock import NEVER, WindowClock, Windows
from embedded.ksql.planning.plan import Aggregate, Filter, FlatMap, Plan, Project, Source

Pending = dict[tuple[int, bytes], tuple[Inputs, Window, Row]]


class StreamAggregate:
    """Adds rows to their groups' states and forwards what HAVING lets through.

    With a record cache a group's row is put out by ``flush`` only, so that what is downstream, HAVING included,
    sees the last of several updates.
    """

    def __init__(self, node: Aggregate, having: Filter | None, context: Context, forward: Forward) -> None:
        self._forward = forward
        self.groups = GroupFunctions(node, having, context)
        rekeyed = not groups_by_key(node)
        self.windows = Windows(node.window) if node.window else None
        self.store: KeyedStore | WindowStore
        self._clock: WindowClock | None = None
        if self.windows is None:
            self.store = KeyedStore(context.name("aggregate"))
        else:
            self.store = WindowStore(context.name("aggregate"), self.windows.advance, self.windows.retention)
            self._clock = WindowClock(self.windows, context.partitions if rekeyed else None, self.store.times)
        context.stores.append(self.store)
        self._pending: Pending = {}
        if context.cache:
            context.flushes.append(self.flush)
        self._process = self._compile(context, rekeyed=rekeyed)

    def receive(self, rows: list[Row]) -> None:
        """Take the rows of one batch."""
        if self._clock is not None:
            self._clock.refresh()
        out = self._process(rows)
        if not self._pending:
            self._expire()
        if out:
            self._forward(out)

    def flush(self) -> None:
        """Put out the last update of every group that changed."""
        out = []
        for (index, key), (group, window, row) in self._pending.items():
            table = self._table(index)
            state = table.load(key) if table is not None else None
            if table is not None and state:
                state, decided = self.groups.decide(group, state, window, row)
                table.put(key, state)
                if decided is not None:
                    out.append(decided)
        self._pending.clear()
        self._expire()
        if out:
            self._forward(out)

    def _expire(self) -> None:
        if self._clock is not None and isinstance(self.store, WindowStore):
            self.store.expire(self._clock.kept())

    def rows(self) -> Iterator[Row]:
        """Yield every group's row."""
        for table, window in self._tables():
            for key, state in table.items():
                row = self.groups.row(key, state, window)
                if row is not None:
                    yield row

    def get(self, key: tuple[Any, ...]) -> Sequence[Row]:
        """Return one key's rows, one a window."""
        encoded = self.groups.codec.encode(key)
        found = ((table.load(encoded), window) for table, window in self._tables())
        rows = (self.groups.row(encoded, state, window) for state, window in found if state)
        return [row for row in rows if row is not None]

    def _table(self, index: int) -> StateTable | None:
        return self.store.windows.get(index) if isinstance(self.store, WindowStore) else self.store.table

    def _tables(self) -> list[tuple[StateTable, Window]]:
        if isinstance(self.store, WindowStore) and self.windows is not None:
            bounds = self.windows.bounds
            return [(table, bounds(index)) for index, table in sorted(self.store.windows.items())]
        return [] if isinstance(self.store, WindowStore) else [(self.store.table, None)]

    def _compile(self, context: Context, *, rekeyed: bool) -> Any:
        groups, windows, clock = self.groups, self.windows, self._clock
        partition = "row[4]" if not rekeyed else "0" if context.partitions == 1 else None
        options = LoopOptions(
            is_windowed=windows is not None,
            is_tumbling=windows is not None and windows.size == windows.advance,
            has_having=groups.having is not None,
            cache=context.cache,
            partition=partition,
            bound=groups.bound,
        )
        names = groups.code.namespace
        names.update(extract=groups.extract, having=groups.having, pending=self._pending, NEVER=NEVER)
        names["partition_of"] = context.partitioner(repartitioned=rekeyed)
        if isinstance(self.store, KeyedStore):
            names["keyed_table"] = self.store.table
        elif windows is not None and clock is not None:
            names.update(clock=clock, closed=clock.closed, observe=clock.observe, open_window=self.store.window)
            names.update(ADVANCE=windows.advance, SIZE=windows.size, CLOSE=windows.size + windows.grace)
            names["first_window"] = windows.first
        return groups.code.define("process", "rows", loop_source(groups.code, options))


def groups_by_key(node: Aggregate) -> bool:
    """Whether grouping leaves rows where they are: GROUP BY names exactly the key with which they were read."""
    names = [getattr(key.value.expression, "name", None) for key in node.keys]
    return names == [column.name for column in node.input.schema.key] and is_read_as_keyed(node.input)


def is_read_as_keyed(node: Plan) -> bool:
    """Whether rows still have the key, and so the partition, with which they were read."""
    return _source(node) is not None


def _source(node: Plan) -> Source | None:
    """Return the source whose rows arrive with the key they had; None after a new key or a join."""
    while isinstance(node, Filter | Project | FlatMap):
        node = node.input
    return node if isinstance(node, Source) else None
