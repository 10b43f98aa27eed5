"""Columns inferred from any Avro schema, as ksqlDB does by way of Kafka Connect's types."""

from __future__ import annotations

import json

from embedded.ksql import types
from embedded.ksql.errors import StatementError
from embedded.ksql.formats.avro_types import AvroType, Names, full_name, is_map_entry
from embedded.ksql.types import SqlType

_DEFAULT_PRECISION = 64
_SIMPLE = {
    "boolean": types.BOOLEAN,
    "int": types.INTEGER,
    "long": types.BIGINT,
    "float": types.DOUBLE,
    "double": types.DOUBLE,
    "bytes": types.BYTES,
    "string": types.STRING,
    "enum": types.STRING,
    "fixed": types.BYTES,
}
_LOGICAL = {
    ("long", "timestamp-millis"): types.TIMESTAMP,
    ("int", "date"): types.DATE,
    ("int", "time-millis"): types.TIME,
}


def whole_of(schema_json: str) -> SqlType:
    """Return the type of a registered schema as one column: a record is a STRUCT. Raises StatementError."""
    inference = _Inference()
    try:
        return inference.type_of(inference.names.resolve(json.loads(schema_json)))
    except (LookupError, ValueError) as error:
        raise StatementError(f"Unable to convert the registered Avro schema to a column: {error}") from error


def columns_of(schema_json: str, bare_name: str = "ROWVAL") -> list[tuple[str, SqlType]]:
    """Return the columns of a registered schema, names in upper case; one ``bare_name`` if it is no record.

    Raises StatementError where ksqlDB has no type for it.
    """
    inference = _Inference()
    try:
        root = inference.names.resolve(json.loads(schema_json))
        if root.kind == "record":
            return inference.fields(root)
        return [(bare_name, inference.type_of(root))]
    except (LookupError, ValueError) as error:
        raise StatementError(f"Unable to convert the registered Avro schema to columns: {error}") from error


class _Inference:
    def __init__(self) -> None:
        self.names = Names()
        self._open: list[str] = []

    def fields(self, record: AvroType) -> list[tuple[str, SqlType]]:
        name = full_name(record)
        if name in self._open:
            raise StatementError(f"Recursive schemas are not supported: {name} contains itself")
        self._open.append(name)
        try:
            return [(field.upper(), self.type_of(kind)) for field, kind in self.names.fields(record)]
        finally:
            self._open.pop()

    def type_of(self, avro: AvroType) -> SqlType:
        match avro.kind:
            case "record":
                return types.struct(*self.fields(avro))
            case "array":
                return self._array(avro)
            case "map":
                return types.mapping(
                    types.STRING, self.type_of(self.names.resolve(avro.schema["values"], avro.namespace))
                )
            case "union":
                return self._union(avro)
            case "null":
                raise StatementError("Avro type null alone is no column; make it a union with another type")
            case _:
                return self._scalar(avro)

    def _array(self, avro: AvroType) -> SqlType:
        items = self.names.resolve(avro.schema["items"], avro.namespace)
        if is_map_entry(items):
            entry = dict(self.names.fields(items))
            return types.mapping(self.type_of(entry["key"]), self.type_of(entry["value"]))
        return types.array(self.type_of(items))

    def _union(self, avro: AvroType) -> SqlType:
        branches = [branch for branch in self.names.branches(avro) if branch.kind != "null"]
        if len(branches) == 1:
            return self.type_of(branches[0])
        return types.struct(*((branch_name(branch).upper(), self.type_of(branch)) for branch in branches))

    def _scalar(self, avro: AvroType) -> SqlType:
        logical = avro.schema.get("logicalType")
        if logical == "decimal" and avro.kind in {"bytes", "fixed"}:
            return types.decimal(avro.schema.get("precision", _DEFAULT_PRECISION), avro.schema.get("scale", 0))
        return _LOGICAL.get((avro.kind, str(logical)), _SIMPLE[avro.kind])


def branch_name(branch: AvroType) -> str:
    """Return the field name that Connect gives a branch of a union: the type's own name."""
    if branch.kind in {"record", "enum", "fixed"}:
        return full_name(branch).rpartition(".")[2]
    return branch.kind
