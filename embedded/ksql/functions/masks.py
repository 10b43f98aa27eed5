"""Masking of characters: upper case by X, lower case by x, digits by n, everything else by a hyphen."""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.registry import scalar

mask_function = partial(scalar, category="STRING", strict=False)

Marks: TypeAlias = tuple[str | None, ...]
_DEFAULTS = ("X", "x", "n", "-")
_MARKS = "VARCHAR upper, VARCHAR lower, VARCHAR digit, VARCHAR other"


def _masked(text: str, marks: Marks) -> str:
    upper, lower, digit, other = marks or _DEFAULTS
    result = []
    for char in text:
        mark = upper if char.isupper() else lower if char.islower() else digit if char.isdigit() else other
        result.append(char if mark is None else mark)
    return "".join(result)


def _count(number: int | None) -> int:
    if number is None or number < 0:
        raise EvaluationError("function requires a non-negative number of characters to mask or skip")
    return number


@mask_function("mask", "VARCHAR input -> VARCHAR", "Masks the whole string.")
@mask_function("mask", f"VARCHAR input, {_MARKS} -> VARCHAR", "Masks the whole string with given characters.")
def mask(text: str | None, *marks: str | None) -> str | None:
    """Mask every character."""
    return None if text is None else _masked(text, marks)


@mask_function("mask_left", "VARCHAR input, INT numChars -> VARCHAR", "Masks the first characters.")
@mask_function("mask_left", f"VARCHAR input, INT numChars, {_MARKS} -> VARCHAR", "Masks the first characters.")
def mask_left(text: str | None, count: int | None, *marks: str | None) -> str | None:
    """Mask the first ``count`` characters."""
    number = _count(count)
    return None if text is None else _masked(text[:number], marks) + text[number:]


@mask_function("mask_right", "VARCHAR input, INT numChars -> VARCHAR", "Masks the last characters.")
@mask_function("mask_right", f"VARCHAR input, INT numChars, {_MARKS} -> VARCHAR", "Masks the last characters.")
def mask_right(text: str | None, count: int | None, *marks: str | None) -> str | None:
    """Mask the last ``count`` characters."""
    number = _count(count)
    if text is None:
        return None
    start = max(len(text) - number, 0)
    return text[:start] + _masked(text[start:], marks)


@mask_function("mask_keep_left", "VARCHAR input, INT numChars -> VARCHAR", "Masks all but the first characters.")
@mask_function(
    "mask_keep_left", f"VARCHAR input, INT numChars, {_MARKS} -> VARCHAR", "Masks all but the first characters."
)
def mask_keep_left(text: str | None, count: int | None, *marks: str | None) -> str | None:
    """Mask everything behind the first ``count`` characters."""
    number = _count(count)
    return None if text is None else text[:number] + _masked(text[number:], marks)


@mask_function("mask_keep_right", "VARCHAR input, INT numChars -> VARCHAR", "Masks all but the last characters.")
@mask_function(
    "mask_keep_right", f"VARCHAR input, INT numChars, {_MARKS} -> VARCHAR", "Masks all but the last characters."
)
def mask_keep_right(text: str | None, count: int | None, *marks: str | None) -> str | None:
    """Mask everything before the last ``count`` characters."""
    number = _count(count)
    if text is None:
        return None
    start = max(len(text) - number, 0)
    return _masked(text[:start], marks) + text[start:]
