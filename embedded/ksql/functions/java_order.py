"""The order of values in Java where Python's differs: text by UTF-16 code unit, bytes with their sign."""

from __future__ import annotations

from typing import Any

_SIGNED = bytes(number ^ 0x80 for number in range(256))


def text_order(text: str) -> bytes:
    """Return what orders text as ``String.compareTo``."""
    return text.encode("utf-16-be", "surrogatepass")


def bytes_order(data: bytes) -> bytes:
    """Return what orders bytes as ``ByteBuffer.compareTo``: 0x80 comes before 0x01."""
    return data.translate(_SIGNED)


def order(value: Any) -> Any:
    """Return what orders a value among others of its type as ``compareTo`` does."""
    if isinstance(value, str):
        return text_order(value)
    return bytes_order(value) if isinstance(value, bytes) else value


def is_higher(one: Any, two: Any) -> bool:
    """Whether one text or array of bytes comes after the other."""
    if isinstance(one, str) and (one.isascii() or two.isascii()):
        return bool(one > two)
    return bool(order(one) > order(two))
