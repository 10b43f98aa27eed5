"""Which schemas ksqlDB reads: it skips every record of one whose field has another type than its column.

The rules are those of `embedded/ksql/formats/avro_scalars.py`, which are ksqlDB's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NUMBER = frozenset({"INTEGER", "BIGINT", "DOUBLE", "STRING", "TIMESTAMP", "DATE", "TIME"})
_BECOMES = {
    "int": _NUMBER,
    "long": _NUMBER,
    "float": frozenset({"DOUBLE", "STRING"}),
    "double": frozenset({"DOUBLE", "STRING"}),
    "boolean": frozenset({"BOOLEAN", "STRING"}),
    "string": frozenset({"STRING"}),
    "enum": frozenset({"STRING"}),
    "bytes": frozenset({"BYTES", "DECIMAL"}),
    "fixed": frozenset({"BYTES", "DECIMAL"}),
    "array": frozenset({"ARRAY"}),
    "map": frozenset({"MAP"}),
    "record": frozenset({"STRUCT"}),
}


def is_readable(schema: Mapping[str, Any], columns: Mapping[str, str | None]) -> bool:
    """Whether ksqlDB reads records of a schema into a stream's columns, upper-case name → type."""
    return all(_fits(field["type"], columns.get(str(field["name"]).upper())) for field in schema.get("fields", []))


def _fits(avro: Any, column: str | None) -> bool:
    if column is None:
        return True
    if isinstance(avro, list):
        return all(_fits(branch, column) for branch in avro)
    declared = {"type": avro} if isinstance(avro, str) else avro
    base = column.partition("(")[0]
    if base == "DECIMAL" and declared.get("logicalType") != "decimal":
        return declared["type"] == "null"
    # Of a type that is named elsewhere in the schema nothing is known here.
    return base in _BECOMES.get(declared["type"], {base})
