"""The join of a table with another one whose primary key an expression over the first gives."""

from __future__ import annotations

from embedded.ksql.expressions.compiler import compile_row_function
from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.table_rows import TableRows, Value
from embedded.ksql.planning.plan import ForeignKeyJoin


class ForeignKeyJoinOperator:
    """Keeps both tables, and which left rows refer to a right key.

    As in Kafka Streams: a left row whose foreign key is null is passed over in silence, what it had put out before
    included; a changed left row is answered by a tombstone where no right row is found, a new one (INNER) is not.
    """

    def __init__(self, node: ForeignKeyJoin, context: Context, forward: Forward) -> None:
        self._forward = forward
        self._is_inner = node.kind == "INNER"
        self._left = TableRows(node.left.schema, context, "join-left")
        self._right = TableRows(node.right.schema, context, "join-right")
        self._nothing = (None,) * len(node.right.schema.value)
        schema, library = node.left.schema, context.library
        self._new_key = compile_row_function([node.foreign_key], schema, library, failures=context.fail)
        # What a row referred to before was reported, if it failed, when the row came.
        self._known_key = compile_row_function([node.foreign_key], schema, library)
        self._referring: dict[bytes, set[bytes]] | None = None  # None: to be built from the left table

    def receive_left(self, rows: list[Row]) -> None:
        """Take the left table's rows."""
        referring = self._index()
        out: list[Row] = []
        for row in rows:
            if row.key is None:
                continue
            key = self._left.codec.of(row)
            old = self._left.get(key)
            old_reference = None if old is None else self._reference(self._known_key(row._replace(value=old.value)))
            reference = None if row.value is None else self._reference(self._new_key(row))
            self._left.put(key, row)
            if old_reference is not None:
                referring.get(old_reference, set()).discard(key)
            if reference is not None:
                referring.setdefault(reference, set()).add(key)
            if old is not None and old_reference is None:
                continue
            if row.value is None:
                out += [] if old is None else [row]
            elif reference is not None:
                out += self._answer(row, row.value, reference, is_new=old is None)
        if out:
            self._forward(out)

    def _answer(self, row: Row, value: Value, reference: bytes, *, is_new: bool) -> list[Row]:
        found = self._right.get(reference)
        if found is not None:
            return [row._replace(value=value + found.value, timestamp=max(row.timestamp, found.timestamp))]
        if not self._is_inner:
            return [row._replace(value=value + self._nothing)]
        return [] if is_new else [row._replace(value=None)]

    def receive_right(self, rows: list[Row]) -> None:
        """Take the right table's rows."""
        referring = self._index()
        out = []
        for row in rows:
            if row.key is None:
                continue
            reference = self._right.codec.of(row)
            self._right.put(reference, row)
            for key in sorted(referring.get(reference, ())):
                left = self._left.get(key)
                if left is None:
                    continue
                right = row.value if row.value is not None or self._is_inner else self._nothing
                joined = None if right is None else left.value + right
                out.append(row._replace(key=self._left.codec.decode(key), value=joined))
        if out:
            self._forward(out)

    def _reference(self, foreign_key: Value) -> bytes | None:
        (value,) = foreign_key
        return None if value is None else self._right.codec.encode((value,))

    def _index(self) -> dict[bytes, set[bytes]]:
        if self._referring is None:
            self._referring = {}
            for key, (timestamp, value) in self._left.store.items():
                row = Row(self._left.codec.decode(key), tuple(value), timestamp)
                reference = self._reference(self._known_key(row))
                if reference is not None:
                    self._referring.setdefault(reference, set()).add(key)
        return self._referring
