"""Encode flat Avro records fast, by the schema.

`fastavro` needs 25 to 38 µs on a busy 2-core machine for an event of 27 fields, most of it to find the branch of each
union; this needs 6 to 10 µs there (`python -m benchmarks.producer`): every field has a table from value to bytes that
fills itself, and a record is the join of 27 look-ups. The format is that of the Avro specification 1.12,
"Binary Encoding".
"""

import json
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from operator import getitem
from typing import Any

from producer.errors import SchemaFileError

TABLE_LIMIT = 16_384  # entries per field: enough for the words that come back, small beside the process

_EPOCH_DAY = date(1970, 1, 1).toordinal()


@lru_cache(maxsize=8192)
def _varint(number: int) -> bytes:
    """Write a number that is not negative: seven bits per byte, lowest first."""
    encoded = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


# The first two bytes of a longer number. What is left of a timestamp then changes every eight seconds only.
_FIRST_TWO = tuple(bytes((low & 0x7F | 0x80, low >> 7 | 0x80)) for low in range(1 << 14))


def encode_long(number: int) -> bytes:
    """Write an int or long: zigzag, then a varint."""
    zigzag = number << 1 if number >= 0 else (-number << 1) - 1
    if zigzag < 1 << 14:
        return _varint(zigzag)
    return _FIRST_TWO[zigzag & 0x3FFF] + _varint(zigzag >> 14)


_SHORT_LENGTHS = tuple(bytes((length << 1,)) for length in range(64))


def encode_bytes(content: bytes) -> bytes:
    """Write bytes behind their length."""
    return encode_long(len(content)) + content


def _encode_string(text: str) -> bytes:
    content = text.encode()
    length = len(content)
    return (_SHORT_LENGTHS[length] if length < len(_SHORT_LENGTHS) else encode_long(length)) + content


def _encode_boolean(flag: bool) -> bytes:
    return b"\x01" if flag else b"\x00"


def _encode_date(day: date) -> bytes:
    return encode_long(day.toordinal() - _EPOCH_DAY)


def _decimal_encoder(scale: int) -> Callable[[Decimal], bytes]:
    def encode_decimal(number: Decimal) -> bytes:
        unscaled = int(number.scaleb(scale))
        # One bit more than the magnitude: the sign; -128 fits into one byte, as 127 does.
        bits = (unscaled + (unscaled < 0)).bit_length()
        return encode_bytes(unscaled.to_bytes(bits // 8 + 1, "big", signed=True))

    return encode_decimal


def _encoder_of_type(avro_type: Any) -> Callable[[Any], bytes]:
    declared = {"type": avro_type} if isinstance(avro_type, str) else avro_type
    match declared:
        case {"logicalType": "decimal", "type": "bytes", "scale": int(scale)}:
            return _decimal_encoder(scale)
        case {"logicalType": "date", "type": "int"}:
            return _encode_date
        case {"logicalType": "timestamp-millis", "type": "long"} | {"type": "int" | "long"}:
            return encode_long
        case {"type": "string"}:
            return _encode_string
        case {"type": "boolean"}:
            return _encode_boolean
        case _:
            raise SchemaFileError(f"the encoder of flat records does not know the Avro type {json.dumps(avro_type)}")


def _encode_default(default: Any, avro_type: Any) -> bytes:
    """Write a default as a schema states it: bytes as text, days and moments as numbers."""
    if isinstance(default, str):
        is_bytes = isinstance(avro_type, dict) and avro_type["type"] == "bytes"
        return encode_bytes(default.encode("latin-1")) if is_bytes else _encode_string(default)
    return _encode_boolean(default) if isinstance(default, bool) else encode_long(default)


class _Table(dict[Any, bytes]):
    """Bytes by value of one field; computes what it does not hold yet."""

    def __init__(self, field: Mapping[str, Any]) -> None:
        super().__init__()
        self.name = name = field["name"]
        avro_type = field["type"]
        self._prefix = b""
        if isinstance(avro_type, list):
            if len(avro_type) != 2 or avro_type[0] != "null":  # noqa: PLR2004 - null and one type
                raise SchemaFileError(f"field {name}: a union must be null and one type, not {json.dumps(avro_type)}")
            avro_type = avro_type[1]
            self[None] = b"\x00"
            self._prefix = b"\x02"
        self._encode = _encoder_of_type(avro_type)
        if "default" in field and not self:
            self[None] = _encode_default(field["default"], avro_type)

    def __missing__(self, value: Any) -> bytes:
        encoded = self._prefix + self._encode(value)
        if len(self) < TABLE_LIMIT:
            self[value] = encoded
        return encoded


class RecordEncoder:
    """Encodes records of one flat schema: mappings by field name, where an absent field is null or its default.

    Values are as fastavro takes them, but a timestamp is an int (milliseconds since 1970).
    """

    def __init__(self, schema: Mapping[str, Any], header: bytes = b"") -> None:
        if schema.get("type") != "record" or not isinstance(schema.get("fields"), list):
            raise SchemaFileError("the schema is not an Avro record with fields")
        self._names = [field["name"] for field in schema["fields"]]
        self._tables = [_Table(field) for field in schema["fields"]]
        self._header = header

    def encode(self, record: Mapping[str, Any]) -> bytes:
        """Return the header and the Avro body of a record."""
        return self._header + b"".join(map(getitem, self._tables, map(record.get, self._names)))
