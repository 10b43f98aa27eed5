"""The KAFKA format: one bare value as Kafka's own serializers write it (big-endian)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.types import Base, Column

_PACKERS = {Base.INTEGER: struct.Struct(">i"), Base.BIGINT: struct.Struct(">q"), Base.DOUBLE: struct.Struct(">d")}


class KafkaSerde:
    """Reads and writes one column."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = tuple(columns)
        self._read: Callable[[bytes], Any]
        self._write: Callable[[Any], bytes]
        self._read, self._write = _codec(columns[0])

    def deserialize(self, data: bytes) -> tuple[Any, ...]:
        """Return the one column. Raises DeserializationError."""
        return (self._read(data),)

    def serialize(self, row: tuple[Any, ...]) -> bytes | None:
        """Return the bytes; None for null."""
        if row[0] is None:
            return None
        return self._write(row[0])


def _codec(column: Column) -> tuple[Callable[[bytes], Any], Callable[[Any], bytes]]:
    if column.type.base is Base.STRING:
        return lambda data: data.decode("utf-8", "replace"), lambda value: value.encode("utf-8", "replace")
    if column.type.base is Base.BYTES:
        return bytes, bytes
    packer = _PACKERS[column.type.base]

    def read(data: bytes) -> Any:
        if len(data) != packer.size:
            raise DeserializationError(
                f"`{column.name}` {column.type} in KAFKA format takes {packer.size} bytes, got {len(data)}"
            )
        return packer.unpack(data)[0]

    return read, packer.pack
