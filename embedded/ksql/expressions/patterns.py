"""LIKE patterns as regular expressions."""

from __future__ import annotations

import re
from functools import lru_cache

from embedded.ksql.functions.interface import EvaluationError

_ANY = "[^\\n\\r\\u0085\\u2028\\u2029]"  # what Java's dot matches


@lru_cache(maxsize=1024)
def like_pattern(pattern: str, escape: str | None = None) -> re.Pattern[str]:
    """Return the regular expression for a LIKE pattern: % is any text, _ any character, to be matched fully.

    Raises EvaluationError for a pattern that ends with the escape character.
    """
    parts: list[str] = []
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            literal = next(characters, None)
            if literal is None:
                raise EvaluationError("LIKE pattern must not end with escape character")
            parts.append(re.escape(literal))
        elif character == "%":
            parts.append(f"{_ANY}*")
        elif character == "_":
            parts.append(_ANY)
        else:
            parts.append(re.escape(character))
    return re.compile("".join(parts))


def like(value: str, pattern: str, escape: str | None = None) -> bool:
    """Whether the value matches the pattern. Raises TypeError for a null."""
    return like_pattern(pattern, escape).fullmatch(value) is not None
