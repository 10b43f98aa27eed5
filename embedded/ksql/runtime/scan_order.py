"""The order in which a scan of a table shows its rows: that of the keys' bytes, as in ksqlDB's stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import nsmallest
from itertools import islice
from typing import Any, Never

from embedded.ksql.formats.serdes import key_serde
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.plan import Format
from embedded.ksql.types import Column


class _NoRegistry:
    """Stands for the registry where no format asks for one."""

    def __getattr__(self, name: str) -> Never:
        raise AttributeError(name)


def in_key_order(
    rows: Iterable[Row], key_format: Format | None, columns: tuple[Column, ...], limit: int | None = None
) -> Iterable[Row]:
    """Return the rows by key and window; as they come where keys are AVRO, whose bytes depend on the registry."""
    if key_format is None or key_format.name not in {"KAFKA", "JSON", "DELIMITED"}:
        return islice(rows, limit)
    registry: Any = _NoRegistry()
    serialize = key_serde(key_format, columns, topic="", registry=registry).serialize
    order = _order(serialize)
    return sorted(rows, key=order) if limit is None else nsmallest(limit, rows, key=order)


def _order(serialize: Callable[[Any], bytes | None]) -> Callable[[Row], tuple[bytes, tuple[int, int]]]:
    def order(row: Row) -> tuple[bytes, tuple[int, int]]:
        return serialize(row.key or ()) or b"", row.window or (0, 0)

    return order
