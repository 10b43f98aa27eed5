"""Avro in Kafka: Confluent's wire format, and the schemas that records were written with."""

from __future__ import annotations

import struct
from collections.abc import Callable
from io import BytesIO
from json import JSONDecodeError
from typing import Any

import requests

from pipeline.errors import RejectedError

_HEADER = struct.Struct(">bI")  # magic byte 0, schema id


def open_value(value: bytes | None) -> tuple[int, BytesIO] | None:
    """Return the schema id of a value and its body, ready to be read; None where it is not in the wire format."""
    if value is None or len(value) < _HEADER.size:
        return None
    magic, schema_id = _HEADER.unpack_from(value)
    if magic != 0:
        return None
    body = BytesIO(value)
    body.seek(_HEADER.size)
    return schema_id, body


def wire_value(schema_id: int, body: bytes) -> bytes:
    """Return a body behind the header that names its schema."""
    return _HEADER.pack(0, schema_id) + body


def writer_schema(fetch: Callable[[int], Any], schema_id: int) -> dict[str, Any] | None:
    """Return what ``fetch`` has for an id; None for one that the registry does not know: no sink knows it either.

    None, too, for a schema that is no record's: the name of a type, a union, Protobuf. Raises RejectedError where the
    registry is ill: that says nothing about the record.
    """
    try:
        document = fetch(schema_id)
    except JSONDecodeError:
        return None
    except RejectedError as error:
        if error.status != requests.codes.not_found:
            raise
        return None
    return document if isinstance(document, dict) else None


def without_logical_types(schema: Any) -> Any:
    """Return the schema with every logical type replaced by what it is written as."""
    if isinstance(schema, list):
        return [without_logical_types(branch) for branch in schema]
    if isinstance(schema, dict):
        return {name: without_logical_types(part) for name, part in schema.items() if name != "logicalType"}
    return schema
