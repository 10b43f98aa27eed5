"""Values of cases, which are JSON, as Avro in the Confluent wire format: a zero byte, the schema's id, the datum."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from io import BytesIO
from typing import Any

import fastavro

from embedded.ksql.functions.numbers import EXACT

_SCHEMA_ID_BYTES = 4
_NOT_A_NUMBER = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_INTEGERS = {"int", "long"}


def avro_message(schema_id: int, schema: str, value: Any) -> bytes:
    """Return a value as a producer with this schema writes it. Raises ValueError if the schema cannot hold it."""
    declared = json.loads(schema)
    buffer = BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(declared), _datum(declared, value, {}))
    return b"\0" + schema_id.to_bytes(_SCHEMA_ID_BYTES, "big") + buffer.getvalue()


def _datum(schema: Any, value: Any, named: dict[str, Any]) -> Any:  # noqa: PLR0911 - one line a type reads best
    """Return a JSON value in fastavro's representation; ``named`` collects the records met so far by name."""
    if isinstance(schema, list):
        return _branch(schema, value, named)
    if isinstance(schema, str) and schema in named:
        return _datum(named[schema], value, named)
    kind = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(kind, (dict, list)):
        return _datum(kind, value, named)
    match kind:
        case "record":
            return _record(schema, value, named)
        case "array":
            return _array(schema["items"], value, named)
        case "map":
            return {str(key): _datum(schema["values"], part, named) for key, part in value.items()}
        case "bytes" | "fixed" if isinstance(schema, dict) and schema.get("logicalType") == "decimal":
            return Decimal(str(value)).quantize(Decimal(1).scaleb(-schema.get("scale", 0)), context=EXACT)
        case "bytes":
            return base64.b64decode(value)
        case "float" | "double":
            return _NOT_A_NUMBER[value] if isinstance(value, str) else float(value)
        case _:
            return value


def _branch(union: list[Any], value: Any, named: dict[str, Any]) -> Any:
    branches = [branch for branch in union if branch != "null"]
    if value is None or not branches:
        return None
    fitting = [branch for branch in branches if _fits(branch, value)] if len(branches) > 1 else branches
    return _datum((fitting or branches)[0], value, named)


def _fits(schema: Any, value: Any) -> bool:
    kind = schema["type"] if isinstance(schema, dict) else schema
    match value:
        case bool():
            return bool(kind == "boolean")
        case int():
            return kind in _INTEGERS
        case float() | Decimal():
            return kind in {"float", "double"}
        case str():
            return kind in {"string", "enum"}
        case list():
            return bool(kind == "array")
        case _:
            return kind in {"record", "map"}


def _record(schema: Mapping[str, Any], value: Any, named: dict[str, Any]) -> dict[str, Any]:
    named[schema["name"]] = schema
    if "namespace" in schema:
        named[f"{schema['namespace']}.{schema['name']}"] = schema
    given = {name.upper(): part for name, part in value.items()}
    return {
        field["name"]: _datum(field["type"], given[field["name"].upper()], named)
        if field["name"].upper() in given
        else field.get("default")
        for field in schema["fields"]
    }


def _array(items: Any, value: Any, named: dict[str, Any]) -> list[Any]:
    """Return an array; an object stands for Connect's maps, which are arrays of records of key and value."""
    if isinstance(value, dict):
        value = [{"key": key, "value": part} for key, part in value.items()]
    return [_datum(items, part, named) for part in value]
