"""Repairs as a user of `pipeline dlq replay --transform` would write them."""

from __future__ import annotations

from pipeline.dead_letters.letter import Letter

NO_FUNCTION = "text"


def at_most_hundred(letter: Letter) -> dict[str, object]:
    """Return the fields with a percentage that the table takes."""
    assert letter.record is not None
    return {**letter.record, "watched_percent": min(letter.record["watched_percent"], 100)}


def odd_ones_are_beyond_repair(letter: Letter) -> dict[str, object]:
    """Raise for every second letter."""
    fields = dict(letter.record or {})
    if int(str(fields["watched_percent"])) % 2:
        raise ArithmeticError("an odd percentage")
    return {**fields, "watched_percent": 100}


def a_number(_letter: Letter) -> int:
    """Return what is no record."""
    return 7
