"""A table's rows, kept where an operator or a pull query needs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.keys import WINDOW, KeyCodec
from embedded.ksql.operators.stores import KeyedStore
from embedded.ksql.types import Schema

Value = tuple[Any, ...]


class Version(NamedTuple):
    """A row as it is now: its time and value."""

    timestamp: int
    value: Value


class TableRows:
    """The last value and time of each key of a table."""

    def __init__(self, schema: Schema, context: Context, purpose: str) -> None:
        self.codec = KeyCodec(schema.key)
        self.store = KeyedStore(context.name(purpose))
        context.stores.append(self.store)

    def get(self, key: bytes) -> Version | None:
        """Return a key's row."""
        state = self.store.get(key)
        return None if state is None else Version(state[0], tuple(state[1]))

    def put(self, key: bytes, row: Row) -> None:
        """Take over a row; a tombstone removes the key's."""
        self.store.put(key, None if row.value is None else (row.timestamp, row.value))


class MaterializedRows:
    """Keeps what passes on its way to the sink, for pull queries."""

    def __init__(self, schema: Schema, context: Context, forward: Forward, *, is_windowed: bool) -> None:
        self._table = TableRows(schema, context, "rows")
        self._forward = forward
        self._is_windowed = is_windowed

    def receive(self, rows: list[Row]) -> None:
        """Take the rows of one batch."""
        for row in rows:
            self._table.put(self._table.codec.of(row), row)
        self._forward(rows)

    def rows(self) -> Iterator[Row]:
        """Yield every row."""
        for key, state in self._table.store.items():
            window = None
            if self._is_windowed:
                start, end = WINDOW.unpack(key[-WINDOW.size :])
                key, window = key[: -WINDOW.size], (start, end)  # noqa: PLW2901 - the key without its window
            yield Row(self._table.codec.decode(key), tuple(state[1]), state[0], window)

    def get(self, key: tuple[Any, ...]) -> Sequence[Row]:
        """Return one key's row, or its rows, one a window."""
        if self._is_windowed:
            return [row for row in self.rows() if row.key == key]
        version = self._table.get(self._table.codec.encode(key))
        return [] if version is None else [Row(key, version.value, version.timestamp)]
