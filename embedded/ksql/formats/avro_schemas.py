"""The Avro schemas that ksqlDB registers for its columns: every field nullable, named as Kafka Connect names them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from embedded.ksql.functions.shapes import element_of, key_of
from embedded.ksql.types import Base, Column, SqlType

NAMESPACE = "io.confluent.ksql.avro_schemas"
RECORD = "KsqlDataSourceSchema"

_CONNECT = "org.apache.kafka.connect.data"
_PRIMITIVES = {
    Base.BOOLEAN: "boolean",
    Base.INTEGER: "int",
    Base.BIGINT: "long",
    Base.DOUBLE: "double",
    Base.STRING: "string",
    Base.BYTES: "bytes",
}
_TIMES = {
    Base.TIMESTAMP: ("long", "Timestamp", "timestamp-millis"),
    Base.DATE: ("int", "Date", "date"),
    Base.TIME: ("int", "Time", "time-millis"),
}


def schema_of(columns: Sequence[Column], name: str = RECORD, namespace: str = NAMESPACE) -> str:
    """Return the record schema of the columns, as JSON."""
    full = f"{namespace}.{name}" if namespace else name
    schema: dict[str, Any] = {"type": "record", "name": name}
    if namespace:
        schema["namespace"] = namespace
    schema["fields"] = _fields([(column.name, column.type) for column in columns], full)
    schema["connect.name"] = full
    return json.dumps(schema, ensure_ascii=False)


def bare_schema_of(column: Column, full_name: str = f"{NAMESPACE}.{RECORD}") -> str:
    """Return the schema of an only column written without a record, as JSON."""
    return json.dumps(_nullable(column.type, full_name), ensure_ascii=False)


def _fields(fields: Sequence[tuple[str, SqlType]], parent: str) -> list[dict[str, Any]]:
    return [{"name": name, "type": _nullable(kind, f"{parent}_{name}"), "default": None} for name, kind in fields]


def _nullable(kind: SqlType, name: str) -> list[Any]:
    return ["null", _type(kind, name)]


def _type(kind: SqlType, name: str) -> Any:
    match kind.base:
        case Base.DECIMAL:
            return {
                "type": "bytes",
                "scale": kind.scale,
                "precision": kind.precision,
                "connect.version": 1,
                "connect.parameters": {"scale": str(kind.scale), "connect.decimal.precision": str(kind.precision)},
                "connect.name": f"{_CONNECT}.Decimal",
                "logicalType": "decimal",
            }
        case Base.TIMESTAMP | Base.DATE | Base.TIME:
            avro, connect, logical = _TIMES[kind.base]
            return {
                "type": avro,
                "connect.version": 1,
                "connect.name": f"{_CONNECT}.{connect}",
                "logicalType": logical,
            }
        case Base.ARRAY:
            return {"type": "array", "items": _nullable(element_of(kind), name)}
        case Base.MAP:
            return _map_type(kind, name)
        case Base.STRUCT:
            return _record(name, _fields(kind.fields, name)) | {"connect.name": name}
        case base:
            return _PRIMITIVES[base]


def _map_type(kind: SqlType, name: str) -> dict[str, Any]:
    """Return an array of entries: ksqlDB's map keys are nullable, which an Avro map cannot say."""
    entries = [
        {"name": "key", "type": _nullable(key_of(kind), f"{name}_MapKey"), "default": None},
        {"name": "value", "type": _nullable(element_of(kind), f"{name}_MapValue"), "default": None},
    ]
    items = _record(name, entries) | {"connect.internal.type": "MapEntry"}
    return {"type": "array", "items": items, "connect.name": name}


def _record(full_name: str, fields: list[dict[str, Any]]) -> dict[str, Any]:
    namespace, _, name = full_name.rpartition(".")
    record: dict[str, Any] = {"type": "record", "name": name}
    if namespace:
        record["namespace"] = namespace
    return record | {"fields": fields}
