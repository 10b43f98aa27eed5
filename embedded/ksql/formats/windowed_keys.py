"""Windowed keys: the key's bytes followed by big-endian times, as Kafka Streams writes them."""

from __future__ import annotations

import struct
from typing import Literal

from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.planning.plan import WindowInfo

_START = struct.Struct(">q")
_END_AND_START = struct.Struct(">qq")
_LONG_MAX = 2**63 - 1


def wrap(key: bytes, window: tuple[int, int], kind: Literal["TUMBLING", "HOPPING", "SESSION"]) -> bytes:
    """Return the key with its window's start (SESSION: end, then start)."""
    start, end = window
    return key + (_END_AND_START.pack(end, start) if kind == "SESSION" else _START.pack(start))


def unwrap(data: bytes, info: WindowInfo) -> tuple[bytes, tuple[int, int]]:
    """Return the key's bytes and its window (start, end). Raises DeserializationError."""
    tail = 16 if info.kind == "SESSION" else 8
    if len(data) < tail:
        raise DeserializationError(f"a {info.kind} key ends with {tail} bytes of time; got {len(data)} bytes in all")
    if info.kind == "SESSION":
        end, start = _END_AND_START.unpack(data[-16:])
        return data[:-16], (start, end)
    (start,) = _START.unpack(data[-8:])
    return data[:-8], (start, start + info.size_ms if info.size_ms is not None else _LONG_MAX)
