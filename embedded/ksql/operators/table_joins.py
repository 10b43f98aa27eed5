"""Joins with a table on equal keys: of a stream, which meets the row of the moment, and of another table."""

from __future__ import annotations

from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.keys import KeyCodec
from embedded.ksql.operators.table_rows import TableRows, Value, Version
from embedded.ksql.planning.plan import StreamTableJoin, TableTableJoin


class StreamTableJoinOperator:
    """Puts out a stream's rows, each with the table's row of its key; null keys and null records are dropped."""

    def __init__(self, node: StreamTableJoin, context: Context, forward: Forward) -> None:
        self._forward = forward
        self._is_inner = node.kind == "INNER"
        self._codec = KeyCodec(node.left.schema.key)
        self._nothing = (None,) * len(node.right.schema.value)
        self._table = TableRows(node.right.schema, context, "join-table")

    def receive_left(self, rows: list[Row]) -> None:
        """Take the stream's rows."""
        out = []
        for row in rows:
            if row.key is None or row.value is None:
                continue
            found = self._table.get(self._codec.of(row))
            if found is not None:
                out.append(row._replace(value=row.value + found.value))
            elif not self._is_inner:
                out.append(row._replace(value=row.value + self._nothing))
        if out:
            self._forward(out)

    def receive_right(self, rows: list[Row]) -> None:
        """Take the table's rows."""
        for row in rows:
            if row.key is not None:
                self._table.put(self._table.codec.of(row), row)


class TableTableJoinOperator:
    """The table of the pairs; which side may be missing depends on the kind.

    As in Kafka Streams a side that may not be missing keeps silent about the other's changes, and a tombstone goes
    on even if no row went before it, unless there is nothing at all on either side.
    """

    def __init__(self, node: TableTableJoin, context: Context, forward: Forward) -> None:
        self._forward = forward
        self._left = TableRows(node.left.schema, context, "join-left")
        self._right = TableRows(node.right.schema, context, "join-right")
        self._nothing_left = (None,) * len(node.left.schema.value)
        self._nothing_right = (None,) * len(node.right.schema.value)
        self._left_needed = node.kind in ("INNER", "LEFT")
        self._right_needed = node.kind in ("INNER", "RIGHT")

    def receive_left(self, rows: list[Row]) -> None:
        """Take the left table's rows."""
        self._receive(rows, is_left=True)

    def receive_right(self, rows: list[Row]) -> None:
        """Take the right table's rows."""
        self._receive(rows, is_left=False)

    def _receive(self, rows: list[Row], *, is_left: bool) -> None:
        mine, theirs = (self._left, self._right) if is_left else (self._right, self._left)
        other_needed = self._right_needed if is_left else self._left_needed
        mine_needed = self._left_needed if is_left else self._right_needed
        out = []
        for row in rows:
            if row.key is None:
                continue
            key = mine.codec.of(row)
            old, other = mine.get(key), theirs.get(key)
            mine.put(key, row)
            if other is None and (other_needed or (row.value is None and old is None)):
                continue
            time = row.timestamp if other is None else max(row.timestamp, other.timestamp)
            is_gone = row.value is None and (mine_needed or other is None)
            value = None if is_gone else self._pair(row.value, other, is_left=is_left)
            out.append(row._replace(value=value, timestamp=time))
        if out:
            self._forward(out)

    def _pair(self, mine: Value | None, other: Version | None, *, is_left: bool) -> Value:
        theirs = None if other is None else other.value
        left, right = (mine, theirs) if is_left else (theirs, mine)
        return (self._nothing_left if left is None else left) + (self._nothing_right if right is None else right)
