"""Avro's variable-length integers, and how one Avro scalar becomes a value of a column's type."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from embedded.ksql import types
from embedded.ksql.formats.avro_types import AvroType
from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.functions.java_text import text_of
from embedded.ksql.functions.numbers import EXACT, fit_exactly, wrap_int
from embedded.ksql.types import Base, SqlType

# Two bytes of a varint at a time: their 14 bits by the bytes as a number, and the bits that say whether it goes on.
_THREE_PAIRS = struct.Struct("<HHH")
_unpack_pairs = _THREE_PAIRS.unpack_from
_PAIRS = array("H", (pair & 0x7F | pair >> 1 & 0x3F80 for pair in range(1 << 16)))
_GO_ON, _END = 0x8080, 0x0080

_TIMES = frozenset({Base.TIMESTAMP, Base.DATE, Base.TIME})
_WHOLE = frozenset({"int", "long"})
_MICROS = {"timestamp-micros": Base.TIMESTAMP, "time-micros": Base.TIME}
_TEXTS: dict[str, SqlType] = {
    "int": types.BIGINT,
    "long": types.BIGINT,
    "float": types.DOUBLE,
    "double": types.DOUBLE,
    "boolean": types.BOOLEAN,
}


def read_long(data: bytes, at: int) -> tuple[int, int]:
    """Return a zigzag varint and the offset behind it. Raises IndexError at the end of the data."""
    if len(data) - at >= _THREE_PAIRS.size:  # as many bytes as a timestamp of our time takes: no loop for those
        low, middle, high = _unpack_pairs(data, at)
        if low & middle & _GO_ON == _GO_ON and high & _GO_ON == _END:
            value = _PAIRS[low] | _PAIRS[middle] << 14 | _PAIRS[high] << 28
            return (value >> 1) ^ -(value & 1), at + _THREE_PAIRS.size
    byte = data[at]
    at += 1
    value = byte & 0x7F
    shift = 7
    while byte & 0x80:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
    return (value >> 1) ^ -(value & 1), at


def converter_of(avro: AvroType, kind: SqlType) -> Callable[[Any], Any] | None:
    """Return how a decoded scalar becomes a value of the column's type; None if it is one already.

    Raises DeserializationError if it cannot.
    """
    if avro.kind in _WHOLE:
        converter = _from_whole(avro, kind)
    elif kind.base is Base.DECIMAL and avro.schema.get("logicalType") == "decimal":
        converter = _from_decimal(int(avro.schema.get("scale", 0)), kind)
    else:
        converter = _from_other(avro, kind)
    return converter


def _from_whole(avro: AvroType, kind: SqlType) -> Callable[[Any], Any] | None:
    base = kind.base
    if base is Base.BIGINT or (base is Base.INTEGER and avro.kind == "int"):
        return None
    if base in _TIMES:
        micros = _MICROS.get(str(avro.schema.get("logicalType"))) is base
        return (lambda value: value // 1000) if micros else None
    if base is Base.INTEGER:
        return wrap_int
    return float if base is Base.DOUBLE else _from_other(avro, kind)


def _from_other(avro: AvroType, kind: SqlType) -> Callable[[Any], Any] | None:
    base = kind.base
    same = {
        "string": base is Base.STRING,
        "enum": base is Base.STRING,
        "bytes": base is Base.BYTES,
        "fixed": base is Base.BYTES,
        "boolean": base is Base.BOOLEAN,
        "float": base is Base.DOUBLE,
        "double": base is Base.DOUBLE,
    }
    if same.get(avro.kind):
        return None
    if base is Base.STRING and avro.kind in _TEXTS:
        source = _TEXTS[avro.kind]
        return lambda value: text_of(value, source)
    raise DeserializationError(f"Avro {avro.kind} cannot be read as {kind}")


def _from_decimal(scale: int, kind: SqlType) -> Callable[[bytes], Decimal]:
    exponent = Decimal(-scale)
    if scale == kind.scale:
        return lambda data: Decimal(int.from_bytes(data, "big", signed=True)).scaleb(exponent, EXACT)

    def convert(data: bytes) -> Decimal:
        value = Decimal(int.from_bytes(data, "big", signed=True)).scaleb(exponent, EXACT)
        return fit_exactly(value, kind.precision, kind.scale)

    return convert
