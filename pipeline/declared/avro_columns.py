"""The columns that ksqlDB makes of an Avro schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_PRIMITIVES = {
    "string": "STRING",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "DOUBLE",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "bytes": "BYTES",
    "enum": "STRING",
    "fixed": "BYTES",
    "array": "ARRAY",
    "map": "MAP",
    "record": "STRUCT",
}
_LOGICAL = {"timestamp-millis": "TIMESTAMP", "date": "DATE", "time-millis": "TIME"}


@dataclass(frozen=True, slots=True)
class AvroColumn:
    """A field of a record; ``type`` is ksqlDB's name of it, None where that cannot be told."""

    name: str
    type: str | None
    nullable: bool


def avro_columns(document: Mapping[str, Any]) -> list[AvroColumn]:
    """Return the fields of a record schema in its order; none of any other."""
    return [_column(field) for field in document.get("fields", [])]


def _column(field: Mapping[str, Any]) -> AvroColumn:
    branches = field["type"] if isinstance(field["type"], list) else [field["type"]]
    types = [branch for branch in branches if branch != "null"]
    return AvroColumn(str(field["name"]), _type(types[0]) if len(types) == 1 else None, nullable="null" in branches)


def _type(schema: Any) -> str | None:
    if isinstance(schema, str):
        return _PRIMITIVES.get(schema)
    logical = schema.get("logicalType")
    if logical == "decimal":
        return f"DECIMAL({schema['precision']}, {schema.get('scale', 0)})"
    return _LOGICAL.get(logical) or _type(schema["type"])
