"""The order in which ksqlDB shows a map's entries: that of Java's ``HashMap``.

A HashMap walks its table bucket by bucket. An entry's bucket is its key's hash modulo the table's size, a power of
two; within a bucket the order is that of insertion. The size follows from the capacity that the map was made with and
from the number of entries: what reads JSON, AS_MAP, MAP(…) and CAST ask for as many as there are entries, the reader
of AVRO, TRANSFORM, FILTER and SPLIT_TO_MAP for the default.
(Buckets of more than eight entries, which Java turns into trees, keep their order here.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

DEFAULT_CAPACITY = 16
_LOAD_PERCENT = 75
_MASK = 0xFFFFFFFF


def keys_in_order(entries: Mapping[Any, Any], capacity: int | None = None) -> Iterable[Any]:
    """Return the keys of entries, which are in the order of insertion, in the order of a HashMap.

    ``capacity`` is what the HashMap was made with; None: as many as there are entries. Keys other than STRING,
    INTEGER and BIGINT stay in their order.
    """
    number = len(entries)
    if number < 2:  # noqa: PLR2004 - one entry has no order
        return entries
    return _ordered(tuple(entries), number if capacity is None else capacity)


def arranged(entries: Mapping[Any, Any], capacity: int | None = None) -> dict[Any, Any]:
    """Return the entries in the order of a HashMap, see ``keys_in_order``."""
    return {key: entries[key] for key in keys_in_order(entries, capacity)}


def united(left: Mapping[Any, Any], right: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return both maps in one, the second winning, as two ``putAll`` into an empty HashMap arrange it."""
    first = left or right
    return arranged({**left, **right}, len(first) * 100 // _LOAD_PERCENT + 1)


def table_size(number: int, capacity: int) -> int:
    """Return how many buckets a HashMap of a capacity has once it holds a number of entries."""
    size = 1
    while size < capacity:
        size *= 2
    while number > size * _LOAD_PERCENT // 100:
        size *= 2
    return size


@lru_cache(maxsize=4_096)  # maps tend to have the same keys over and over
def _ordered(keys: tuple[Any, ...], capacity: int) -> tuple[Any, ...]:
    mask = table_size(len(keys), capacity) - 1
    try:
        return tuple(sorted(keys, key=lambda key: _spread(key) & mask))
    except TypeError:
        return keys


@lru_cache(maxsize=65_536)
def _spread(key: Any) -> int:
    """Return a key's hash as HashMap uses it. Raises TypeError for a key of another type."""
    code = _hash_code(key)
    return code ^ code >> 16


def _hash_code(key: Any) -> int:
    """Return Java's ``hashCode`` as 32 bits without a sign."""
    if isinstance(key, str):
        code = 0
        units = key.encode("utf-16-be", "surrogatepass")
        for high, low in zip(units[::2], units[1::2], strict=True):
            code = code * 31 + (high << 8 | low) & _MASK
        return code
    if key is None:
        return 0
    if type(key) is int:
        return key & _MASK if -(2**31) <= key < 2**31 else (key ^ (key >> 32)) & _MASK
    raise TypeError(f"no order is known for keys of type {type(key).__name__}")
