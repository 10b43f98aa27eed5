"""Map functions, joining of arrays, and numbers from bytes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any

from embedded.ksql import types
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_maps import arranged, united
from embedded.ksql.functions.java_text import element_text
from embedded.ksql.functions.registry import scalar
from embedded.ksql.functions.shapes import element_of
from embedded.ksql.types import Base, SqlType

maps = partial(scalar, category="MAP")


@maps("map_keys", "MAP<K, V> input -> ARRAY<K>", "Returns the keys of a map.")
def map_keys(entries: dict[Any, Any]) -> list[Any]:
    """Return the keys."""
    return list(entries)


@maps("map_values", "MAP<K, V> input -> ARRAY<V>", "Returns the values of a map.")
def map_values(entries: dict[Any, Any]) -> list[Any]:
    """Return the values."""
    return list(entries.values())


@maps("map_union", "MAP<K, V> map1, MAP<K, V> map2 -> MAP<K, V>", "Returns the entries of two maps.", strict=False)
def map_union(left: dict[Any, Any] | None, right: dict[Any, Any] | None) -> dict[Any, Any] | None:
    """Return both maps in one, the second winning; null only if both are."""
    return None if left is None and right is None else united(left or {}, right or {})


@maps("as_map", "ARRAY<VARCHAR> keys, ARRAY<V> values -> MAP<VARCHAR, V>", "Makes a map of keys and values.")
def as_map(keys: list[Any], values: list[Any]) -> dict[Any, Any]:
    """Return the map of the pairs; keys without a value have null, values without a key are left out."""
    pairs = zip(keys, [*values, *[None] * len(keys)], strict=False)
    return arranged(dict(pairs), len(keys))


def _entry_type(kind: SqlType, _: SqlType) -> SqlType:
    return types.array(types.struct(("K", types.STRING), ("V", element_of(kind))))


@maps(
    "entries",
    "MAP<VARCHAR, V> map, BOOLEAN sorted -> ARRAY<STRUCT>",
    "Makes an array of structs of a map's entries.",
    returns=_entry_type,
)
def entries_of(entries: dict[Any, Any], in_order: bool) -> list[dict[str, Any]]:
    """Return one struct of K and V per entry, sorted by key if asked for."""
    pairs = sorted(entries.items()) if in_order else entries.items()
    return [{"K": key, "V": value} for key, value in pairs]


_JOINED = {Base.BOOLEAN, Base.INTEGER, Base.BIGINT, Base.DOUBLE, Base.DECIMAL, Base.STRING}


def _joiner(kind: SqlType | None, *_: SqlType | None) -> Callable[..., Any]:
    def join(values: list[Any] | None, delimiter: str | None = ",") -> str | None:
        if values is None or kind is None:
            return None
        if element_of(kind).base not in _JOINED and any(value is not None for value in values):
            raise EvaluationError(f"hit element of type {element_of(kind)} which is not supported")
        return (delimiter or "").join(element_text(value, element_of(kind)) for value in values)

    return join


_JOIN = "Joins the elements of an array to one string."
scalar("array_join", "ARRAY<T> array -> VARCHAR", _JOIN, category="ARRAY", strict=False, per_types=True)(_joiner)
scalar(
    "array_join", "ARRAY<T> array, VARCHAR delimiter -> VARCHAR", _JOIN, category="ARRAY", strict=False, per_types=True
)(_joiner)


def _number(code: str) -> Callable[..., Any]:
    unpackers = {"BIG_ENDIAN": struct.Struct(f">{code}"), "LITTLE_ENDIAN": struct.Struct(f"<{code}")}

    def unpack(data: bytes, order: str = "BIG_ENDIAN") -> Any:
        unpacker = unpackers.get(order.upper())
        if unpacker is None:
            raise EvaluationError(f"Byte order must be BIG_ENDIAN or LITTLE_ENDIAN, not {order}")
        if len(data) != unpacker.size:
            raise EvaluationError(f"Number of bytes must be equal to {unpacker.size}, but found {len(data)}")
        return unpacker.unpack(data)[0]

    return unpack


for _name, _type, _code in (("int", "INT", "i"), ("bigint", "BIGINT", "q"), ("double", "DOUBLE", "d")):
    for _order in ("", ", VARCHAR byteOrder"):
        scalar(
            f"{_name}_from_bytes",
            f"BYTES value{_order} -> {_type}",
            f"Converts bytes to {_type}.",
            category="CONVERSIONS",
        )(_number(_code))
