"""Functions between text, bytes and codes."""

from __future__ import annotations

import base64
import re
import uuid as uuids
from functools import partial

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.registry import scalar

string = partial(scalar, category="STRING")

_ESCAPE = re.compile(r"\\u+([0-9a-fA-F]{4})")


@string("chr", "INT decimalCode -> VARCHAR", "Returns the character of a Unicode code point.")
@string("chr", "VARCHAR utf16Code -> VARCHAR", "Returns the characters of a UTF-16 escape.")
def char(code: int | str) -> str | None:
    r"""Return the character of a code point, or of an escape such as ``\u004a``."""
    if isinstance(code, str):
        if not _ESCAPE.match(code):
            return None
        units = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), code)
        return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return chr(code) if 0 <= code <= 0x10FFFF else None  # noqa: PLR2004 - the last code point


@string("uuid", " -> VARCHAR", "Creates a universally unique identifier.")
def random_uuid() -> str:
    """Return a random UUID."""
    return str(uuids.uuid4())


@string("uuid", "BYTES bytes -> VARCHAR", "Returns the text of a UUID of 16 bytes.")
def uuid_of(data: bytes) -> str | None:
    """Return the UUID that 16 bytes are."""
    return str(uuids.UUID(bytes=data)) if len(data) == 16 else None  # noqa: PLR2004 - the size of a UUID


@string(
    "encode", "VARCHAR str, VARCHAR inputEncoding, VARCHAR outputEncoding -> VARCHAR", "Changes a string's encoding."
)
def encode(text: str, source: str, target: str) -> str:
    """Re-encode text between hex (in lower case here), base64, utf8 and ascii, which must be two."""
    if source.lower() == target.lower():
        raise EvaluationError("Supported input and output encodings are: hex, utf8, ascii and base64")
    encoded = decode_bytes(encode_bytes(text, source), target)
    return encoded.lower() if target.lower() == "hex" else encoded


@string("to_bytes", "VARCHAR value, VARCHAR encoding -> BYTES", "Converts a string in an encoding to bytes.")
def encode_bytes(text: str, encoding: str) -> bytes:
    """Return the bytes that text stands for."""
    match encoding.lower():
        case "hex":
            return _hex_bytes(text)
        case "base64":
            return base64.b64decode(text)
        case "utf8":
            return text.encode("utf-8", "replace")
        case "ascii":
            return text.encode("ascii", "replace")
    raise EvaluationError(f"Supported input encodings are: hex, utf8, ascii, and base64; not {encoding}")


def _hex_bytes(text: str) -> bytes:
    """Return the bytes of ``4a4b``, ``X'4a4b'`` or ``0xa4b``, where alone a first 0 may be left out."""
    digits = text
    if text.startswith("0x"):
        digits = text[2:].rjust(len(text) - 2 + len(text) % 2, "0")
    elif text[:2] in {"X'", "x'"} and text.endswith("'") and len(text) > 2:  # noqa: PLR2004 - X'' is the shortest
        digits = text[2:-1]
    return bytes.fromhex(digits)


@string("from_bytes", "BYTES value, VARCHAR encoding -> VARCHAR", "Converts bytes to a string in an encoding.")
def decode_bytes(data: bytes, encoding: str) -> str:
    """Return bytes as text."""
    match encoding.lower():
        case "hex":
            return data.hex().upper()
        case "base64":
            return base64.b64encode(data).decode("ascii")
        case "utf8":
            return data.decode("utf-8", "replace")
        case "ascii":
            return data.decode("ascii", "replace")
    raise EvaluationError(f"Supported output encodings are: hex, utf8, ascii, and base64; not {encoding}")
