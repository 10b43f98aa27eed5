"""Aggregation of a table: an update undoes what the old row had added, then adds the new row, as two updates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.group_functions import GroupFunctions, Inputs
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.keys import KeyCodec
from embedded.ksql.operators.stores import KeyedStore
from embedded.ksql.planning.plan import Aggregate, Filter


class TableAggregate:
    """Keeps, a row of the table, what it added (its keys and arguments), and, a group, its state."""

    def __init__(self, node: Aggregate, having: Filter | None, context: Context, forward: Forward) -> None:
        self._forward = forward
        self._groups = GroupFunctions(node, having, context)
        self._codec = KeyCodec(node.input.schema.key)
        self._width = len(node.keys)
        self._added = KeyedStore(context.name("aggregated-rows"))
        context.stores.append(self._added)
        self._store = KeyedStore(context.name("aggregate"))
        context.stores.append(self._store)
        self._pending: dict[bytes, tuple[Inputs, Row]] = {}
        self._cache = context.cache
        if self._cache:
            context.flushes.append(self.flush)

    def receive(self, rows: list[Row]) -> None:
        """Take the rows of one batch."""
        out: list[Row] = []
        for row in rows:
            if row.key is None:
                continue
            key = self._codec.of(row)
            old = self._added.get(key)
            new = None if row.value is None else self._groups.extract(row)
            if new is not None or old is not None:
                self._added.put(key, new)
            self._change(old, row, out, undo=True)
            self._change(new, row, out, undo=False)
        if out:
            self._forward(out)

    def _change(self, inputs: Inputs | None, row: Row, out: list[Row], *, undo: bool) -> None:
        if inputs is None or None in inputs[: self._width]:
            return
        group = inputs[: self._width]
        key = self._groups.codec.encode(group)
        state = self._store.get(key)
        if undo:
            if state is None:
                return
            state = self._groups.undo(state, inputs, row.timestamp)
        else:
            state = self._groups.add(state or self._groups.start(), inputs, row.timestamp)
        if self._cache:
            self._store.put(key, state)
            self._pending[key] = group, row
            return
        state, decided = self._groups.decide(group, state, None, row)
        self._store.put(key, state)
        if decided is not None:
            out.append(decided)

    def flush(self) -> None:
        """Put out the last update of every group that changed."""
        out = []
        for key, (group, row) in self._pending.items():
            state = self._store.get(key)
            if state:
                state, decided = self._groups.decide(group, state, None, row)
                self._store.put(key, state)
                out += [] if decided is None else [decided]
        self._pending.clear()
        if out:
            self._forward(out)

    def rows(self) -> Iterator[Row]:
        """Yield every group's row."""
        for key, state in self._store.items():
            row = self._groups.row(key, state, None)
            if row is not None:
                yield row

    def get(self, key: tuple[Any, ...]) -> Sequence[Row]:
        """Return one group's row."""
        encoded = self._groups.codec.encode(key)
        state = self._store.get(encoded)
        row = self._groups.row(encoded, state, None) if state else None
        return [] if row is None else [row]
