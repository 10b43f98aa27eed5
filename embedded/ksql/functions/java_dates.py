"""Java's date patterns (``yyyy-MM-dd'T'HH:mm:ss.SSSX``): formatting and lenient-smart parsing, English locale."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_date_fields import Parsed, parts_of

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_MONTH = 31
_DATE_LETTERS = frozenset("GuyYQqMLwWdDEecF")
_TIME_LETTERS = frozenset("ahKkHmsSAnN")
_ZONE_LETTERS = frozenset("VzOXxZ")


class Pattern:
    """A compiled pattern."""

    def __init__(self, pattern: str) -> None:
        self._parts = parts_of(pattern)
        try:
            self._regexp = re.compile("".join(f"({part.regexp})" for part in self._parts), re.IGNORECASE)
        except re.error as error:
            raise EvaluationError(f"Invalid date pattern '{pattern}': {error}") from error
        self._text = pattern
        self._letters = frozenset(re.findall("[A-Za-z]", re.sub(r"'(?:[^']|'')*'", "", pattern)))

    def of_dates(self) -> Pattern:
        """Return the pattern. Raises EvaluationError if there is a time of day or a zone in it."""
        return self._without(_TIME_LETTERS | _ZONE_LETTERS)

    def of_times(self) -> Pattern:
        """Return the pattern. Raises EvaluationError if there is a date or a zone in it."""
        return self._without(_DATE_LETTERS | _ZONE_LETTERS)

    def _without(self, letters: frozenset[str]) -> Pattern:
        wrong = self._letters & letters
        if wrong:
            raise EvaluationError(f"Unsupported field in the pattern '{self._text}': {', '.join(sorted(wrong))}")
        return self

    def format(self, moment: datetime) -> str:
        """Return the text of a moment."""
        return "".join([part.format(moment) for part in self._parts])

    def parse(self, text: str, *, prefix: bool = False) -> Parsed:
        """Return the fields of a text, or of a ``prefix`` of it. Raises EvaluationError."""
        found = self._regexp.match(text) if prefix else self._regexp.fullmatch(text)
        if found is None:
            raise EvaluationError(f"Text '{text}' could not be parsed with the pattern '{self._text}'")
        parsed = Parsed()
        for part, value in zip(self._parts, found.groups(), strict=True):
            if part.store is not None and value:
                part.store(parsed, value)
        return parsed


compiled = lru_cache(maxsize=512)(Pattern)


def moment_of(milliseconds: int, zone: tzinfo = UTC) -> datetime:
    """Return the moment of epoch milliseconds in a zone."""
    return (_EPOCH + timedelta(milliseconds=milliseconds)).astimezone(zone)


def date_of(parsed: Parsed) -> datetime:
    """Return midnight of the parsed date; what the text does not say is 1970, January, the 1st."""
    fields = parsed.fields
    year, month = fields.get("year", 1970), fields.get("month", 1)
    try:
        if "day_of_year" in fields:
            if not 1 <= fields["day_of_year"] <= (366 if "year" in fields and calendar.isleap(year) else 365):
                raise EvaluationError(f"no such day of the year: {fields['day_of_year']}")
            return datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=fields["day_of_year"] - 1)
        # Java's smart resolver: 30 February is the last day of February, the 32nd of anything is an error.
        day = fields.get("day", 1)
        day = day if day > _LONGEST_MONTH else min(day, calendar.monthrange(year, month)[1])
        date = datetime(year, month, day, tzinfo=UTC)
    except ValueError as error:
        raise EvaluationError(f"no such date: {error}") from error
    if {"year", "month", "day"} <= fields.keys() and fields.get("weekday", date.isoweekday()) != date.isoweekday():
        raise EvaluationError("the day of the week is another one")
    return date


def lenient_date_of(parsed: Parsed) -> datetime:
    """Return the date as java.text.SimpleDateFormat has it: 30 February is 1 March."""
    fields = parsed.fields
    months = fields.get("year", 1970) * 12 + fields.get("month", 1) - 1
    try:
        first = datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)
    except ValueError as error:
        raise EvaluationError(f"no such date: {error}") from error
    return first + timedelta(days=fields.get("day", 1) - 1)


def time_of(parsed: Parsed) -> int:
    """Return milliseconds since midnight. Raises EvaluationError beyond the clock."""
    fields = parsed.fields
    hour = fields.get("hour", fields.get("hour12", 0) % 12 + 12 * fields.get("afternoon", 0))
    minute, second = fields.get("minute", 0), fields.get("second", 0)
    millisecond = fields.get("millisecond", 0)
    if hour == 24 and minute == second == millisecond == 0:  # noqa: PLR2004 - the end of the day
        return DAY_MS if {"year", "month", "day"} <= fields.keys() else 0
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004 - the clock
        raise EvaluationError("no such time of day")
    return ((hour * 60 + minute) * 60 + second) * 1000 + millisecond


def timestamp_of(parsed: Parsed, zone: tzinfo = UTC) -> int:
    """Return epoch milliseconds; ``zone`` applies where the text names none."""
    local = date_of(parsed)
    clock = time_of(parsed)
    if parsed.offset is not None:
        return (local - _EPOCH) // timedelta(milliseconds=1) + clock - parsed.offset
    moment = (local + timedelta(milliseconds=clock)).replace(tzinfo=parsed.zone or zone)
    return (moment - _EPOCH) // timedelta(milliseconds=1)
