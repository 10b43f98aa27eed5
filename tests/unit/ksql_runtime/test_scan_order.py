"""Scans of tables show rows in the order of the keys' bytes."""

from __future__ import annotations

import pytest

from embedded.ksql import types
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.plan import Format
from embedded.ksql.runtime.scan_order import in_key_order
from embedded.ksql.types import Column, SqlType


@pytest.mark.parametrize(
    ("key_format", "kind", "keys"),
    [
        (Format("KAFKA"), types.STRING, ["B", "a", "b"]),
        (Format("KAFKA"), types.INTEGER, [0, 9, 10, 100, -1]),
        (Format("KAFKA"), types.DOUBLE, [0.0, 10.0, 80.0, 110.0]),
        (Format("JSON"), types.INTEGER, [-1, 0, 10, 100, 9]),
        (Format("AVRO"), types.INTEGER, [10, 9]),
    ],
)
def test_keys_are_ordered_by_their_bytes(key_format: Format, kind: SqlType, keys: list[object]) -> None:
    rows = [Row((key,), (), 0) for key in keys]
    given = rows if key_format.name == "AVRO" else rows[::-1]
    assert list(in_key_order(given, key_format, (Column("K", kind),))) == rows
    assert list(in_key_order(given, key_format, (Column("K", kind),), 2)) == rows[:2]


def test_windows_of_a_key_are_together() -> None:
    rows = [Row(("a",), (), 0, (0, 1)), Row(("a",), (), 0, (5, 6)), Row(("b",), (), 0, (0, 1))]
    given = [rows[0], rows[2], rows[1]]
    assert list(in_key_order(given, Format("KAFKA"), (Column("K", types.STRING),))) == rows
