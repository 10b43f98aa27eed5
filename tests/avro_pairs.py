"""Pairs of Avro types, newer and older: our rules and the registry's must say the same of each."""

from __future__ import annotations

from typing import Any

COLOURS = {"type": "enum", "name": "Colour", "symbols": ["RED", "GREEN"]}
FIXED = {"type": "fixed", "name": "Hash", "size": 16}
INNER = {"type": "record", "name": "Inner", "fields": [{"name": "a", "type": "int"}]}

COMPATIBLE: list[tuple[Any, Any]] = [
    ("int", "int"),
    ("long", "int"),
    ("double", "int"),
    ("double", "float"),
    ("float", "long"),
    ("bytes", "string"),
    ("string", "bytes"),
    (["null", "int"], "int"),
    (["null", "long"], ["null", "int"]),
    (["null", "int", "string"], ["null", "string"]),
    ({**COLOURS, "symbols": ["RED", "GREEN", "BLUE"]}, COLOURS),
    ({**COLOURS, "symbols": ["RED"], "default": "RED"}, COLOURS),
    (FIXED, FIXED),
    ({"type": "array", "items": "long"}, {"type": "array", "items": "int"}),
    ({"type": "map", "values": "long"}, {"type": "map", "values": "int"}),
    ({**INNER, "fields": [{"name": "b", "type": "int", "aliases": ["a"]}]}, INNER),
    ({**INNER, "fields": [{"name": "c", "type": "int", "default": 1}]}, INNER),
]

INCOMPATIBLE: list[tuple[Any, Any]] = [
    ("int", "long"),
    ("int", "string"),
    ("float", "double"),
    ("boolean", "int"),
    ("int", ["null", "int"]),
    (["null", "int"], ["null", "string"]),
    (["null", "string"], "int"),
    ({**COLOURS, "symbols": ["RED"]}, COLOURS),
    (COLOURS, "string"),
    ({**FIXED, "size": 8}, FIXED),
    ({"type": "array", "items": "int"}, {"type": "array", "items": "string"}),
    ({"type": "map", "values": "int"}, {"type": "array", "items": "int"}),
]


def record(kind: Any) -> dict[str, Any]:
    """Return a record with one field of this type."""
    return {"type": "record", "name": "Sample", "fields": [{"name": "f", "type": kind}]}
