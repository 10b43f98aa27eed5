"""Plain values as bytes (MessagePack), DECIMAL and whole numbers of any size included."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgpack

DECIMAL = 1
BIG_INTEGER = 2


_new = tuple.__new__  # ExtType's own check of the code and the data takes half the time of packing a DECIMAL


def _extend(value: Any) -> msgpack.ExtType:
    if isinstance(value, Decimal):
        return _new(msgpack.ExtType, (DECIMAL, str(value).encode()))
    if isinstance(value, int):
        return _new(msgpack.ExtType, (BIG_INTEGER, str(value).encode()))
    raise TypeError(f"state of type {type(value).__name__} cannot be packed: aggregate states must be plain data")


def _restore(code: int, data: bytes) -> Any:
    return Decimal(data.decode()) if code == DECIMAL else int(data)


class _Packer(threading.local):
    """A packer a thread: while one calls ``_extend``, another thread may run, and would write into the same buffer."""

    def __init__(self) -> None:
        self.pack: Callable[[Any], bytes] = msgpack.Packer(default=_extend, unicode_errors="surrogatepass").pack


_packer = _Packer()


def pack(value: Any) -> bytes:
    """Return a value's bytes; equal values have equal bytes."""
    return _packer.pack(value)


def unpack(data: bytes) -> Any:
    """Return the value of ``pack``'s bytes; tuples come back as lists."""
    return msgpack.unpackb(data, ext_hook=_restore, strict_map_key=False, unicode_errors="surrogatepass")
