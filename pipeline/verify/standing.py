"""Who differs in look after look: events that are on their way make a difference in one look, not in all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.verify.statistics import COLUMNS
from pipeline.verify.verification import FIRST, Findings, StatsDifference

_GROWING = tuple(name for name in COLUMNS if name != "avg_session_seconds")


class Standing:
    """The users who differed in each look so far: who was right in one of them is.

    While events keep coming, some users are a moment behind in every look. One who always is has a row between what SQL
    computed in the first look and what it computes now: such users are ``moving``.
    """

    def __init__(self) -> None:
        self._first: dict[str, StatsDifference] = {}
        self._last: dict[str, StatsDifference] | None = None
        self._changed_at = time.monotonic()
        self.moving: set[str] = set()
        self.is_still = False

    @property
    def count(self) -> int:
        """How many users differed in each look."""
        return len(self._last or ())

    @property
    def still_seconds(self) -> float:
        """For how long nothing has changed for those who differ."""
        return time.monotonic() - self._changed_at

    def narrow(self, differences: Sequence[StatsDifference]) -> Findings:
        """Return who differs in another look, too; ``is_still`` tells whether as in the look before."""
        last = self._last
        if last is None:
            self._first = {each.user_id: each for each in differences}
        else:
            differences = [each for each in differences if each.user_id in last]
            moving = {each.user_id for each in differences if _is_between(self._first[each.user_id].expected, each)}
            differences = [each for each in differences if each.user_id not in moving]
            self.moving |= moving
        self._last = {each.user_id: each for each in differences}
        self.is_still = last is not None and all(last[each.user_id] == each for each in differences)
        if not self.is_still:
            self._changed_at = time.monotonic()
        return Findings(len(differences), tuple(map(_differing_columns, differences[:FIRST])))


def _is_between(low: Mapping[str, Any] | None, difference: StatsDifference) -> bool:
    """Whether events came since, and no sum has left what lies between; averages may have."""
    row, high = difference.actual, difference.expected
    if low is None or row is None or high is None or low == high:
        return False
    return all(_is_at_least(row[name], low[name]) and _is_at_least(high[name], row[name]) for name in _GROWING)


def _is_at_least(one: Any, other: Any) -> bool:
    return other is None or (one is not None and one >= other)


def _differing_columns(difference: StatsDifference) -> StatsDifference:
    expected, actual = difference.expected, difference.actual
    if expected is None or actual is None:
        return difference
    columns = [name for name in COLUMNS if expected[name] != actual[name]]
    return StatsDifference(
        difference.user_id, {name: expected[name] for name in columns}, {name: actual[name] for name in columns}
    )
