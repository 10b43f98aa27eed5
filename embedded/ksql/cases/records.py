"""Records as cases write them, to and from the bytes that the declared formats make of them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from embedded.ksql.cases.avro_inputs import avro_message
from embedded.ksql.cases.cluster import Cluster, Message, Registry
from embedded.ksql.formats.serdes import key_serde, value_serde
from embedded.ksql.formats.windowed_keys import unwrap
from embedded.ksql.functions.numbers import EXACT
from embedded.ksql.planning.catalog import DeclaredSource
from embedded.ksql.planning.plan import Format
from embedded.ksql.types import Base, Column, SqlType

_NOT_A_NUMBER = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def produce(cluster: Cluster, source: DeclaredSource, given: Mapping[str, Any]) -> None:
    """Write an input of a case into its topic."""
    key, value = given.get("key"), given.get("value")
    key_bytes = None if key is None else _key_bytes(source, key, cluster.registry)
    value_bytes = None if value is None else _value_bytes(source, value, cluster.registry)
    cluster.append(given["topic"], key_bytes, value_bytes, int(given["timestamp"]))


def shown(source: DeclaredSource, message: Message, registry: Registry) -> dict[str, Any]:
    """Return a record as a case's ``outputs`` have it."""
    record: dict[str, Any] = {}
    data = message.key()
    if data is not None and source.window is not None:
        data, (start, end) = unwrap(data, source.window)
        record["window"] = {"start": start, "end": end}
    record["key"] = None if data is None else _key_shown(source, data, registry)
    value = message.value()
    record["value"] = None if value is None else _value_shown(source, value, registry)
    record["timestamp"] = message.timestamp_ms
    return record


def _key_bytes(source: DeclaredSource, key: Any, registry: Registry) -> bytes | None:
    columns = source.schema.key
    if not columns:
        return str(key).encode()
    return _encoded(source.key_format, columns, key, f"{source.topic}-key", registry, bare=len(columns) == 1)


def _value_bytes(source: DeclaredSource, value: Any, registry: Registry) -> bytes | None:
    bare = source.value_format.unwrapped or source.value_format.name == "KAFKA"
    return _encoded(source.value_format, source.schema.payload, value, f"{source.topic}-value", registry, bare=bare)


def _fields(columns: Sequence[Column], value: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return the columns' values, named in any case, as a registered schema takes them."""
    folded = {name.upper(): part for name, part in value.items()}
    return tuple(value.get(column.name, folded.get(column.name.upper())) for column in columns)


def _encoded(
    declared: Format, columns: Sequence[Column], value: Any, subject: str, registry: Registry, *, bare: bool
) -> bytes | None:
    match declared.name:
        case "JSON":
            return _json_text(value).encode()
        case "DELIMITED":
            return str(value).encode()
        case "AVRO" if (registered := registry.latest(subject)) is not None:
            return avro_message(*registered, value)
        case _:
            row = (value,) if bare else _fields(columns, value)
            parts = tuple(_typed(column.type, part) for column, part in zip(columns, row, strict=True))
            topic = subject.rpartition("-")[0]
            serde = (key_serde if subject.endswith("-key") else value_serde)(
                declared, columns, topic=topic, registry=registry
            )
            return serde.serialize(parts)


def _json_text(value: Any) -> str:
    """Write JSON with its numbers as they stand in the file."""
    match value:
        case Decimal():
            return str(value)
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{_json_text(part)}" for name, part in value.items()) + "}"
        case list():
            return "[" + ",".join(_json_text(part) for part in value) + "]"
        case _:
            return json.dumps(value)


def _typed(kind: SqlType, value: Any) -> Any:  # noqa: PLR0911 - one line a type reads best
    """Return a JSON value as the engine represents it."""
    if value is None:
        return None
    match kind.base:
        case Base.DECIMAL:
            return Decimal(str(value)).quantize(Decimal(1).scaleb(-kind.scale), context=EXACT)
        case Base.DOUBLE:
            return _NOT_A_NUMBER[value] if isinstance(value, str) else float(value)
        case Base.BYTES:
            return base64.b64decode(value)
        case Base.ARRAY if kind.element is not None:
            return [_typed(kind.element, part) for part in value]
        case Base.MAP if kind.element is not None:
            return {name: _typed(kind.element, part) for name, part in value.items()}
        case Base.STRUCT:
            return {name: _typed(field, value.get(name)) for name, field in kind.fields}
        case _:
            return value


def _key_shown(source: DeclaredSource, data: bytes, registry: Registry) -> Any:
    columns = source.schema.key
    if not columns:
        return data.decode(errors="replace")
    if source.key_format.name == "DELIMITED":
        return data.decode()
    values = key_serde(source.key_format, columns, topic=source.topic, registry=registry).deserialize(data)
    return _plain(columns[0].type, values[0]) if len(columns) == 1 else _by_name(columns, values)


def _value_shown(source: DeclaredSource, data: bytes, registry: Registry) -> Any:
    columns = source.schema.value
    if source.value_format.name == "DELIMITED":
        return data.decode()
    if source.value_format.name == "JSON":
        return _json_shown(source, json.loads(data, parse_float=Decimal))
    values = value_serde(source.value_format, columns, topic=source.topic, registry=registry).deserialize(data)
    bare = source.value_format.unwrapped or source.value_format.name == "KAFKA"
    return _plain(columns[0].type, values[0]) if bare else _by_name(columns, values)


def _json_shown(source: DeclaredSource, written: Any) -> Any:
    """Return what stands in the JSON, each number as its column's type is shown."""
    if source.value_format.unwrapped or not isinstance(written, dict):
        return _plain(source.schema.value[0].type, written)
    types = {column.name: column.type for column in source.schema.value}
    return {name: _plain(types[name], part) if name in types else part for name, part in written.items()}


def _by_name(columns: Sequence[Column], values: Sequence[Any]) -> dict[str, Any]:
    return {column.name: _plain(column.type, value) for column, value in zip(columns, values, strict=True)}


def _plain(kind: SqlType, value: Any) -> Any:  # noqa: PLR0911 - one line a type reads best
    """Return a value as cases write it: decimals as text, bytes as base64."""
    if value is None:
        return None
    match kind.base:
        case Base.DECIMAL:
            return str(value)
        case Base.DOUBLE:
            return value if isinstance(value, str) else _number(float(value))
        case Base.BYTES:
            return base64.b64encode(value).decode() if isinstance(value, bytes) else value
        case Base.ARRAY if kind.element is not None:
            return [_plain(kind.element, part) for part in value]
        case Base.MAP if kind.element is not None:
            return {str(name): _plain(kind.element, part) for name, part in value.items()}
        case Base.STRUCT:
            types = dict(kind.fields)
            return {name: _plain(types[name], part) for name, part in value.items()}
        case _:
            return value


def _number(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")
