"""The parts that decoders of Avro's binary encoding are made of: lines of Python source, and functions."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeAlias

from embedded.ksql.formats.avro_scalars import read_long
from embedded.ksql.formats.avro_types import AvroType
from embedded.ksql.formats.interface import DeserializationError

Decoder: TypeAlias = Callable[[bytes, int], tuple[Any, int]]

INDENT = "    "
_FLOATS = {"float": struct.Struct("<f"), "double": struct.Struct("<d")}
#: By its first byte: a length of one byte, or -1 where it is longer (or negative, which read_length refuses)
_LENGTHS = tuple(-1 if byte & 0x81 else byte >> 1 for byte in range(256))
#: By its only byte: a whole number
_WHOLE = tuple((byte >> 1) ^ -(byte & 1) for byte in range(128))


def read_length(data: bytes, at: int) -> tuple[int, int]:
    """Return the length that precedes text or bytes, and the offset behind it."""
    length, at = read_long(data, at)
    if length < 0:
        raise DeserializationError(f"AVRO value holds a length of {length}")
    return length, at


class Source:
    """Lines that read from ``data`` at ``p``, and the objects they refer to."""

    def __init__(self) -> None:
        self._lines = ["def decode(data, p):"]
        self._scope: dict[str, Any] = {
            "read_long": read_long,
            "read_length": read_length,
            "LENGTHS": _LENGTHS,
            "WHOLE": _WHOLE,
        }
        self._fixed = len(self._scope)

    @property
    def is_plain(self) -> bool:
        """Whether the lines read scalars only, without a conversion that could refuse a value."""
        return len(self._scope) == self._fixed

    def add(self, pad: str, *lines: str) -> None:
        """Add lines, indented by ``pad``."""
        self._lines += [pad + line for line in lines]

    def bind(self, value: Any) -> str:
        """Return the name by which the lines can refer to an object."""
        name = f"c{len(self._scope)}"
        self._scope[name] = value
        return name

    def read_text(self, pad: str, name: str, *, is_bytes: bool) -> None:
        """Read a string or bytes."""
        self.add(pad, "n = LENGTHS[data[p]]", "if n >= 0: p += 1", "else: n, p = read_length(data, p)", "e = p + n")
        self.add(pad, f"{name} = data[p:e]" + ("" if is_bytes else ".decode()"), "p = e")

    def skip_text(self, pad: str) -> None:
        """Step over a string or bytes."""
        self.add(pad, "n = LENGTHS[data[p]]", "if n >= 0: p += n + 1")
        self.add(pad, "else: n, p = read_length(data, p); p += n")

    def read_whole(self, pad: str, name: str) -> None:
        """Read an int or long."""
        self.add(pad, "n = data[p]", f"if n < 128: {name} = WHOLE[n]; p += 1")
        self.add(pad, f"else: {name}, p = read_long(data, p)")

    def skip_whole(self, pad: str) -> None:
        """Step over an int or long."""
        self.add(pad, "while data[p] > 127: p += 1", "p += 1")

    def compile(self, result: str) -> Decoder:
        """Return the function; ``result`` is the source of the value."""
        source = "\n".join([*self._lines, f"    return {result}, p\n"])
        exec(source, self._scope)  # noqa: S102 - names of our own making; field names only as repr() of a str
        decode: Decoder = self._scope["decode"]
        return decode


def leaf(avro: AvroType) -> Decoder:
    """Return the decoder of a null, an enum, a fixed, a float or a double."""
    if avro.kind == "null":
        return lambda _data, at: (None, at)
    if avro.kind == "enum":
        symbols = avro.schema["symbols"]

        def decode_enum(data: bytes, at: int) -> tuple[Any, int]:
            index, at = read_long(data, at)
            return symbols[index], at

        return decode_enum
    if avro.kind == "fixed":
        size = avro.schema["size"]
        return lambda data, at: (data[at : at + size], at + size)
    unpack = _FLOATS[avro.kind]
    return lambda data, at: (unpack.unpack_from(data, at)[0], at + unpack.size)


def blocks(item: Decoder) -> Decoder:
    """Return the decoder of a list of items, which Avro writes in blocks."""

    def decode_blocks(data: bytes, at: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        while True:
            count, at = read_long(data, at)
            if count == 0:
                return values, at
            if count < 0:
                count = -count
                _, at = read_long(data, at)
            if count > len(data):
                raise ValueError("more items than bytes")
            for _ in range(count):
                value, at = item(data, at)
                values.append(value)

    return decode_blocks
