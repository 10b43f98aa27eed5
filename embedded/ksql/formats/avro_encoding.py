"""Encoding columns into the Avro schemas of ``avro_schemas``, by Python code compiled once per column list.

Every value is a union of null and its type, so there is no branch to search for: that search costs fastavro most of
its 28 µs a record of 16 fields. The format is the Avro specification 1.12, "Binary Encoding"; a property test
compares with fastavro.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from embedded.ksql.functions.numbers import EXACT
from embedded.ksql.functions.shapes import element_of, key_of
from embedded.ksql.types import Base, SqlType

Encoder: TypeAlias = Callable[[Any], bytes]

_NULLABLE_DOUBLE = struct.Struct("<Bd")
_NULL = b"\x00"


def _varint(number: int) -> bytes:
    """Return seven bits per byte of a number that is not negative, lowest first."""
    encoded = bytearray()
    while number >= 0x80:  # noqa: PLR2004 - seven bits
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


# By number: the low 14 bits as two bytes that go on; the rest changes slowly, so a small cache holds it.
_SMALL = 1 << 14
_LOW_BITS = tuple(bytes((low & 0x7F | 0x80, low >> 7 | 0x80)) for low in range(_SMALL))
_SHORT = tuple(_varint(number) for number in range(_SMALL))
_NULLABLE_LOW_BITS = tuple(b"\x02" + low for low in _LOW_BITS)
_NULLABLE_SHORT = tuple(b"\x02" + short for short in _SHORT)
_NULLABLE_LENGTHS = _NULLABLE_SHORT[::2]
_rest = lru_cache(maxsize=4096)(_varint)


def encode_long(value: int) -> bytes:
    """Return a zigzag varint."""
    zigzag = value << 1 if value >= 0 else ~(value << 1)
    if zigzag < _SMALL:
        return _SHORT[zigzag]
    return _LOW_BITS[zigzag & 0x3FFF] + _rest(zigzag >> 14)


def _nullable_string(value: str) -> bytes:
    return _nullable_bytes(value.encode("utf-8", "replace"))


def _nullable_bytes(value: bytes) -> bytes:
    return b"\x02" + encode_long(len(value)) + value


def _nullable_long(value: int) -> bytes:
    return b"\x02" + encode_long(value)


def _nullable_boolean(value: bool) -> bytes:
    return b"\x02\x01" if value else b"\x02\x00"


def _nullable_double(value: float) -> bytes:
    return _NULLABLE_DOUBLE.pack(2, value)


def _nullable_decimal(scale: int) -> Encoder:
    exponent = Decimal(scale)

    def encode(value: Decimal) -> bytes:
        unscaled = int(value.scaleb(exponent, EXACT))
        # One bit more than the magnitude, for the sign; -128 fits one byte as 127 does.
        size = (unscaled + (unscaled < 0)).bit_length() // 8 + 1
        return _NULLABLE_LENGTHS[size] + unscaled.to_bytes(size, "big", signed=True)

    return encode


_SCALARS: dict[Base, Encoder] = {
    Base.BOOLEAN: _nullable_boolean,
    Base.INTEGER: _nullable_long,
    Base.BIGINT: _nullable_long,
    Base.DOUBLE: _nullable_double,
    Base.STRING: _nullable_string,
    Base.BYTES: _nullable_bytes,
    Base.TIMESTAMP: _nullable_long,
    Base.DATE: _nullable_long,
    Base.TIME: _nullable_long,
}


def encoder_of(kind: SqlType) -> Encoder:
    """Return the function from a value that is not null to the bytes of ``["null", type]``."""
    match kind.base:
        case Base.DECIMAL:
            return _nullable_decimal(kind.scale)
        case Base.ARRAY:
            item = nullable(encoder_of(element_of(kind)))
            return lambda value: b"\x02" + _block([item(element) for element in value])
        case Base.MAP:
            key, item = nullable(encoder_of(key_of(kind))), nullable(encoder_of(element_of(kind)))
            return lambda value: b"\x02" + _block([key(k) + item(v) for k, v in value.items()])
        case Base.STRUCT:
            names = [name for name, _ in kind.fields]
            encode = row_encoder([field for _, field in kind.fields], b"\x02")
            return lambda value: encode(tuple([value.get(name) for name in names]))
        case base:
            return _SCALARS[base]


def nullable(encode: Encoder) -> Encoder:
    """Return the encoder that writes null as the first branch."""
    return lambda value: _NULL if value is None else encode(value)


def _block(items: list[bytes]) -> bytes:
    return encode_long(len(items)) + b"".join(items) + _NULL if items else _NULL


# How a value that is not null, in the variable {0}, is encoded without a call; short text only.
_TEXT = "LENGTHS[len({0} := {0}.encode())] + {0}"
_WHOLE = "SHORT[z] if (z := ({0} << 1) ^ ({0} >> 63)) < SMALL else LOW_BITS[z & SMALL - 1] + rest(z >> 14)"
_INLINE: dict[Base, str] = {
    Base.STRING: _TEXT,
    Base.INTEGER: _WHOLE,
    Base.BIGINT: _WHOLE,
    Base.TIMESTAMP: _WHOLE,
    Base.DATE: _WHOLE,
    Base.TIME: _WHOLE,
    Base.DOUBLE: "pack_double(2, {0})",
}
_INLINED = {
    "LENGTHS": _NULLABLE_LENGTHS,
    "SHORT": _NULLABLE_SHORT,
    "SMALL": _SMALL,
    "LOW_BITS": _NULLABLE_LOW_BITS,
    "rest": _rest,
    "pack_double": _NULLABLE_DOUBLE.pack,
}


def row_encoder(kinds: Sequence[SqlType], header: bytes) -> Callable[[tuple[Any, ...]], bytes]:
    """Compile the function from a row to the header and the record's bytes.

    Scalars are encoded in place, without a call. Where a text is long or holds half a surrogate pair, the whole row is
    encoded again by functions that are ready for that.
    """
    scope: dict[str, Any] = {**_INLINED, "header": header, "join": b"".join, "null": _NULL}
    scope.update((f"e{index}", encoder_of(kind)) for index, kind in enumerate(kinds))
    columns = [(f"v{index}", f"e{index}({{0}})", kind.base) for index, kind in enumerate(kinds)]
    unpack = "".join(f"{name}, " for name, _, _ in columns) + "= row" if kinds else "pass"
    fast = "".join(f"null if {name} is None else {_INLINE.get(b, c).format(name)}, " for name, c, b in columns)
    careful = "".join(f"null if {name} is None else {call.format(name)}, " for name, call, _ in columns)
    source = f"""
def encode_carefully(row):
    {unpack}
    return join((header, {careful}))

def encode(row):
    {unpack}
    try:
        return join((header, {fast}))
    except (IndexError, UnicodeEncodeError):
        return encode_carefully(row)
"""
    exec(source, scope)  # noqa: S102 - only our own names v0, e0, … are in the source
    encode: Callable[[tuple[Any, ...]], bytes] = scope["encode"]
    return encode
