"""Regular expressions: Java's patterns, run by Python's engine (the common syntax is the same)."""

from __future__ import annotations

import re
from functools import lru_cache, partial

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.registry import scalar

regexp = partial(scalar, category="REGULAR EXPRESSION")


_PLACE = re.compile(r"\$(?P<group>\d+)|\$\{(?P<name>\w+)\}|\\(?P<escaped>.)|(?P<plain>[^$\\]+)", re.DOTALL)
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)
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
    unquoted = _QUOTED.sub(lambda found: re.escape(found[1]), pattern)
    named = re.sub(r"\(\?<([a-zA-Z]\w*)>", r"(?P<\1>", unquoted)
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
    """Replace every match; ``$1`` in the replacement is the first group, a backslash takes the next character as is."""
    compiled = _compiled(pattern)
    parts = _template(replacement, compiled)
    return compiled.sub(
        lambda found: "".join(part if isinstance(part, str) else found[part[0]] or "" for part in parts), text
    )


@lru_cache(maxsize=512)
def _template(replacement: str, pattern: re.Pattern[str]) -> tuple[str | tuple[int | str], ...]:
    """Return the literal parts of a replacement, and its groups as tuples of one. Raises EvaluationError."""
    parts: list[str | tuple[int | str]] = []
    at = 0
    while at < len(replacement):
        found = _PLACE.match(replacement, at)
        if found is None:
            raise EvaluationError(f"Illegal group reference in '{replacement}'")
        at = found.end()
        if found["name"] is not None:
            parts.append((found["name"],))
        elif found["group"] is not None:
            digits = found["group"]  # Java takes as many digits as make a group that there is
            while len(digits) > 1 and int(digits) > pattern.groups:
                digits = digits[:-1]
            at -= len(found["group"]) - len(digits)
            parts.append((int(digits),))
        else:
            parts.append(found["escaped"] or found["plain"])
    return tuple(parts)


@regexp(
    "regexp_split_to_array",
    "VARCHAR string, VARCHAR regexp -> ARRAY<VARCHAR>",
    "Splits a string by the matches of a regexp.",
)
def split(text: str, pattern: str) -> list[str]:
    """Split by the matches; a pattern that matches nothing at all splits into characters, without empty ones behind."""
    if not pattern:
        return list(text) if text else [""]
    compiled = _compiled(pattern)
    parts, last = [], 0
    for found in compiled.finditer(text):
        if found.end() > 0:
            parts.append(text[last : found.start()])
            last = found.end()
    parts.append(text[last:])
    while compiled.fullmatch("") and len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts
