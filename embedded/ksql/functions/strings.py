"""String functions. Positions and lengths count UTF-16 units, as Java does."""

from __future__ import annotations

import re
from functools import partial

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_maps import DEFAULT_CAPACITY, arranged
from embedded.ksql.functions.registry import scalar
from embedded.ksql.functions.utf16 import units, units_text, utf16_length

string = partial(scalar, category="STRING")


@string("ucase", "VARCHAR str -> VARCHAR", "Returns an upper-cased version of the input string.")
def ucase(text: str) -> str:
    """Return the text in upper case."""
    return text.upper()


@string("lcase", "VARCHAR str -> VARCHAR", "Returns a lower-cased version of the input string.")
def lcase(text: str) -> str:
    """Return the text in lower case."""
    return text.lower()


@string("initcap", "VARCHAR str -> VARCHAR", "Returns the string with the first letter of each word in upper case.")
def initcap(text: str) -> str:
    """Return every word with a capital first letter and the rest in lower case, without leading spaces."""
    words = re.findall(r"\S+\s*", text, re.ASCII)
    return "".join([word[0].upper() + word[1:].lower() for word in words])


@string("trim", "VARCHAR input -> VARCHAR", "Removes whitespace from both ends of the input string.")
def trim(text: str) -> str:
    """Strip everything up to the space character, as ``String.trim`` does."""
    return text.strip("".join(map(chr, range(33))))


@string("len", "VARCHAR str -> INT", "Returns the length of the input string or bytes.")
def length(text: str) -> int:
    """Return the length in UTF-16 units."""
    return utf16_length(text)


@string("len", "BYTES bytes -> INT", "Returns the length of the input string or bytes.")
def bytes_length(data: bytes) -> int:
    """Return the number of bytes."""
    return len(data)


@string("concat", "VARCHAR... inputs -> VARCHAR", "Concatenates the inputs; nulls are left out.", strict=False)
def concat(*texts: str | None) -> str:
    """Return the texts that are not null, one after the other."""
    return "".join([text for text in texts if text is not None])


@string("concat", "BYTES... inputs -> BYTES", "Concatenates the inputs; nulls are left out.", strict=False)
def concat_bytes(*parts: bytes | None) -> bytes:
    """Return the bytes that are not null, one after the other."""
    return b"".join([part for part in parts if part is not None])


@string(
    "concat_ws", "VARCHAR separator, VARCHAR... inputs -> VARCHAR", "Joins the inputs with a separator.", strict=False
)
def concat_ws(separator: str | None, *texts: str | None) -> str | None:
    """Return the texts that are not null with the separator between them; null without a separator, or any text."""
    return None if separator is None or not texts else separator.join([text for text in texts if text is not None])


@string("concat_ws", "BYTES separator, BYTES... inputs -> BYTES", "Joins the inputs with a separator.", strict=False)
def concat_ws_bytes(separator: bytes | None, *parts: bytes | None) -> bytes | None:
    """Return the bytes that are not null with the separator between them; null without a separator, or any bytes."""
    return None if separator is None or not parts else separator.join([part for part in parts if part is not None])


def _start(size: int, position: int) -> int:
    if position < 0:
        return max(size + position, 0)
    return min(max(position - 1, 0), size)


@string("substring", "VARCHAR str, INT pos, INT length -> VARCHAR", "Returns a substring of the passed in value.")
def substring(text: str, position: int, count: int) -> str:
    """Return ``count`` characters from a position that counts from 1, or from the end if negative."""
    sliced = units(text)
    start = _start(len(sliced) // 2, position)
    return units_text(sliced[2 * start : 2 * max(start, start + count)])


@string("substring", "BYTES bytes, INT pos, INT length -> BYTES", "Returns a substring of the passed in value.")
def substring_bytes(data: bytes, position: int, count: int) -> bytes:
    """Return ``count`` bytes from a position."""
    start = _start(len(data), position)
    return data[start : max(start, start + count)]


@string("substring", "BYTES bytes, INT pos -> BYTES", "Returns a substring of the passed in value.")
def substring_bytes_from(data: bytes, position: int) -> bytes:
    """Return the bytes from a position on."""
    return data[_start(len(data), position) :]


@string("substring", "VARCHAR str, INT pos -> VARCHAR", "Returns a substring of the passed in value.")
def substring_from(text: str, position: int) -> str:
    """Return the characters from a position on."""
    sliced = units(text)
    return units_text(sliced[2 * _start(len(sliced) // 2, position) :])


@string("replace", "VARCHAR str, VARCHAR oldStr, VARCHAR newStr -> VARCHAR", "Replaces all occurrences of a substring.")
def replace(text: str, old: str, new: str) -> str:
    """Replace every occurrence."""
    return text.replace(old, new)


def _instr(text: str, part: str, position: int = 1, occurrence: int = 1) -> int:
    if position == 0 or occurrence < 1:
        return 0
    if position > 0:
        found = position - 2
        for _ in range(occurrence):
            found = text.find(part, found + 1)
            if found < 0:
                return 0
        return utf16_length(text[:found]) + 1
    limit = len(text) + position + len(part)
    for _ in range(occurrence):
        found = text.rfind(part, 0, max(limit, 0))
        if found < 0:
            return 0
        limit = found + len(part) - 1
    return utf16_length(text[:found]) + 1


@string(
    "instr", "VARCHAR str, VARCHAR substring -> INT", "Returns the position of a substring, 0 if none.", strict=False
)
@string("instr", "VARCHAR str, VARCHAR substring, INT position -> INT", "… from a position.", strict=False)
@string(
    "instr",
    "VARCHAR str, VARCHAR substring, INT position, INT occurrence -> INT",
    "… the n-th occurrence from a position.",
    strict=False,
)
def instr(text: str | None, part: str | None, *rest: int | None) -> int:
    """Return where a substring begins, counted from 1; 0 if nowhere, in a null, or from a position beyond the text."""
    numbers = [number for number in rest if number is not None]
    if len(numbers) < len(rest):
        raise EvaluationError("INSTR needs a position and an occurrence that are not null")
    if text is None or part is None or abs(numbers[0] if numbers else 1) > utf16_length(text):
        return 0
    return _instr(text, part, *numbers)


def _padding(size: int, target: int, pad: bytes) -> bytes:
    missing = target - size
    return (pad * (missing // len(pad) + 1))[:missing]


def _pad(data: bytes, target: int, pad: bytes, *, left: bool) -> bytes | None:
    if target < 0 or not pad:
        return None
    if len(data) >= target:
        return data[:target]
    padding = _padding(len(data), target, pad)
    return padding + data if left else data + padding


def _pad_text(text: str, target: int, pad: str, *, left: bool) -> str | None:
    padded = _pad(units(text), 2 * target, units(pad), left=left)
    return None if padded is None else units_text(padded)


@string("lpad", "VARCHAR input, INT targetLen, VARCHAR padding -> VARCHAR", "Pads the input on the left.")
def lpad(text: str, target: int, pad: str) -> str | None:
    """Pad on the left, or cut, to the target length; null for an empty padding."""
    return _pad_text(text, target, pad, left=True)


@string("lpad", "BYTES input, INT targetLen, BYTES padding -> BYTES", "Pads the input on the left.")
def lpad_bytes(data: bytes, target: int, pad: bytes) -> bytes | None:
    """Pad on the left, or cut, to the target length."""
    return _pad(data, target, pad, left=True)


@string("rpad", "VARCHAR input, INT targetLen, VARCHAR padding -> VARCHAR", "Pads the input on the right.")
def rpad(text: str, target: int, pad: str) -> str | None:
    """Pad on the right, or cut, to the target length; null for an empty padding."""
    return _pad_text(text, target, pad, left=False)


@string("rpad", "BYTES input, INT targetLen, BYTES padding -> BYTES", "Pads the input on the right.")
def rpad_bytes(data: bytes, target: int, pad: bytes) -> bytes | None:
    """Pad on the right, or cut, to the target length."""
    return _pad(data, target, pad, left=False)


@string("split", "VARCHAR string, VARCHAR delimiter -> ARRAY<VARCHAR>", "Splits a string into an array of substrings.")
def split(text: str, delimiter: str) -> list[str]:
    """Split on a delimiter; an empty one splits into characters."""
    if delimiter:
        return text.split(delimiter)
    return list(text) if text else [""]


@string("split", "BYTES bytes, BYTES delimiter -> ARRAY<BYTES>", "Splits bytes into an array.")
def split_bytes(data: bytes, delimiter: bytes) -> list[bytes]:
    """Split on a delimiter; an empty one splits into bytes."""
    if delimiter:
        return data.split(delimiter)
    return [data[index : index + 1] for index in range(len(data))] or [b""]


@string(
    "split_to_map",
    "VARCHAR input, VARCHAR entryDelimiter, VARCHAR kvDelimiter -> MAP<VARCHAR, VARCHAR>",
    "Splits a string into key-value pairs and creates a map from them.",
)
def split_to_map(text: str, entry_delimiter: str, pair_delimiter: str) -> dict[str, str] | None:
    """Return the pairs as a map; a later key wins; entries without a value are left out."""
    if not entry_delimiter or not pair_delimiter or entry_delimiter == pair_delimiter:
        return None
    pairs = (entry.split(pair_delimiter) for entry in text.split(entry_delimiter))
    return arranged({pair[0]: pair[1] for pair in pairs if len(pair) > 1}, DEFAULT_CAPACITY)


@string(
    "field",
    "VARCHAR str, VARCHAR... args -> INT",
    "Returns the position of a value in a list, 0 if none.",
    strict=False,
)
def field(text: str | None, *values: str | None) -> int:
    """Return where the text stands among the values, counted from 1."""
    return values.index(text) + 1 if text is not None and text in values else 0


@string("elt", "INT n, VARCHAR... args -> VARCHAR", "Returns the n-th of the arguments.", strict=False)
def elt(position: int | None, *values: str | None) -> str | None:
    """Return the value at a position counted from 1."""
    return None if position is None or not 1 <= position <= len(values) else values[position - 1]
