"""Strings as Java counts them, in UTF-16 units; lone halves of a pair survive."""

from __future__ import annotations


def utf16_length(text: str) -> int:
    """Return the number of UTF-16 units."""
    return len(text) if text.isascii() else len(units(text)) // 2


def units(text: str) -> bytes:
    """Return the units, two bytes each."""
    return text.encode("utf-16-le", "surrogatepass")


def units_text(data: bytes) -> str:
    """Return the text of units."""
    return data.decode("utf-16-le", "surrogatepass")
