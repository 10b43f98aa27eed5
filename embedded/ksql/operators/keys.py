"""Keys as bytes: how stores index them, how they sort, and which partition they belong to."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.packing import pack, unpack
from embedded.ksql.partitioning import partitioner
from embedded.ksql.types import Base, Column

Key = tuple[Any, ...]

WINDOW = struct.Struct(">qq")

_FIXED = {Base.INTEGER: struct.Struct(">i"), Base.BIGINT: struct.Struct(">q")}


class KeyCodec:
    """Turn key tuples into bytes and back.

    One STRING, INTEGER or BIGINT column has the bytes of the KAFKA format, so that keys sort and hash as they do in
    Kafka Streams; any other key is packed, which gives equal keys equal bytes.
    """

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self.encode: Callable[[Key], bytes] = pack
        self.decode: Callable[[bytes], Key] = _unpack_key
        #: Python source that encodes the key columns named in ``{0}``, ``{1}``, …; ``pack`` is at hand
        self.template = "pack((" + ", ".join(f"{{{index}}}" for index in range(len(columns))) + ",))"
        base = columns[0].type.base if len(columns) == 1 else None
        if base is Base.STRING:
            self.encode, self.decode = _encode_text, _decode_text
            self.template = "{0}.encode('utf-8', 'surrogatepass')"
        elif base in _FIXED:
            number = _FIXED[base]
            self.encode, self.decode = lambda key: number.pack(key[0]), number.unpack
            self.template = f"{{0}}.to_bytes({number.size}, 'big', signed=True)"

    def of(self, row: Row) -> bytes:
        """Return a keyed row's bytes: its key, and its window where it has one."""
        key = self.encode(row.key or ())
        return key if row.window is None else key + WINDOW.pack(*row.window)


def _encode_text(key: Key) -> bytes:
    encoded: bytes = key[0].encode("utf-8", "surrogatepass")
    return encoded


def _decode_text(key: bytes) -> Key:
    return (key.decode("utf-8", "surrogatepass"),)


def _unpack_key(key: bytes) -> Key:
    return tuple(unpack(key))


class Partitioner:
    """Says which group-partition a row is in: the partition whose stream time decides whether it is late."""

    def __init__(self, partitions: int, *, repartitioned: bool) -> None:
        self.repartitioned = repartitioned
        self._choose = partitioner(partitions)

    def __call__(self, key: bytes, row: Row) -> int:
        """Return the partition of a row whose key has these bytes."""
        return self._choose(key) if self.repartitioned else row.partition
