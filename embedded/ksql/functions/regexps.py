"""Regular expressions: Java's patterns, run by Python's engine (the common syntax is the same)."""

from __future__ import annotations

import re
from functools import lru_cache, partial

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.registry import scalar

regexp = partial(scalar, category="REGULAR EXPRESSION")


_JAVA_CLASSES = {
    r"\p{Alpha}": "[a-zA-Z]",
    r"\p{Digit}": "[0-9]",
    r"\p{Alnum}": "[a-zA-Z0-9]",
    r"\p{Punct}": r"[!-/:-@\[-`{-~]",
    r"\p{Upper}": "[A-Z]",
    r"\p{Lower}": "[a-z]",
    r"\p{Space}": r"\s",
    r"\h": "[ \t]",
}


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(_from_java(pattern), re.ASCII)
    except re.error as error:
        raise EvaluationError(f"Invalid regular expression pattern: {pattern}: {error}") from error


def _from_java(pattern: str) -> str:
    named = re.sub(r"\(\?<([a-zA-Z]\w*)>", r"(?P<\1>", pattern)
    for java, python in _JAVA_CLASSES.items():
        named = named.replace(java, python)
    return re.sub(r"\\z", r"\\Z", named)


@regexp("regexp_extract", "VARCHAR pattern, VARCHAR input -> VARCHAR", "Returns the first substring that matches.")
def extract(pattern: str, text: str) -> str | None:
    """Return the first match."""
    found = _compiled(pattern).search(text)
    return found[0] if found else None


@regexp("regexp_extract", "VARCHAR pattern, VARCHAR input, INT group -> VARCHAR", "Returns a group of the first match.")
def extract_group(pattern: str, text: str, group: int) -> str | None:
    """Return a group of the first match; null if there is no such group."""
    compiled = _compiled(pattern)
    found = compiled.search(text) if 0 <= group <= compiled.groups else None
    return found[group] if found else None


@regexp("regexp_extract_all", "VARCHAR pattern, VARCHAR input -> ARRAY<VARCHAR>", "Returns all substrings that match.")
def extract_all(pattern: str, text: str) -> list[str]:
    """Return all matches."""
    return [found[0] for found in _compiled(pattern).finditer(text)]


@regexp(
    "regexp_extract_all",
    "VARCHAR pattern, VARCHAR input, INT group -> ARRAY<VARCHAR>",
    "Returns a group of all substrings that match.",
)
def extract_all_groups(pattern: str, text: str, group: int) -> list[str] | None:
    """Return a group of all matches; null if there is no such group."""
    compiled = _compiled(pattern)
    return [found[group] for found in compiled.finditer(text)] if 0 <= group <= compiled.groups else None


@regexp(
    "regexp_replace",
    "VARCHAR str, VARCHAR regexp, VARCHAR newStr -> VARCHAR",
    "Replaces all matches of a regexp in a string.",
)
def replace(text: str, pattern: str, replacement: str) -> str:
    """Replace every match; ``$1`` in the replacement is the first group."""
    template = re.sub(r"\$(\d)", r"\\g<\1>", replacement.replace("\\", "\\\\"))
    return _compiled(pattern).sub(template, text)


@regexp(
    "regexp_split_to_array",
    "VARCHAR string, VARCHAR regexp -> ARRAY<VARCHAR>",
    "Splits a string by the matches of a regexp.",
)
def split(text: str, pattern: str) -> list[str]:
    """Split by the matches; an empty pattern splits into characters."""
    if not pattern:
        return list(text) if text else [""]
    parts, last = [], 0
    for found in _compiled(pattern).finditer(text):
        if found.end() > 0:
            parts.append(text[last : found.start()])
            last = found.end()
    return [*parts, text[last:]]
