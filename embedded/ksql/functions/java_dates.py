"""Java's date patterns (``yyyy-MM-dd'T'HH:mm:ss.SSSX``): formatting and lenient-smart parsing, English locale.

The letters are those of java.time.format.DateTimeFormatter.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import NamedTuple

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.partial_times import zone_of

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = list(calendar.month_name)[1:]
_DAYS = list(calendar.day_name)
_TEXT_WIDTH, _FULL_WIDTH = 3, 4
_ZONE = r"[A-Za-z][A-Za-z0-9_+\-/:]*|[+-]\d{2}:\d{2}"
#: What Java takes short names of zones for, daylight saving time or not.
_SHORT_ZONES = {
    "PST": "America/Los_Angeles",
    "PDT": "America/Los_Angeles",
    "MST": "America/Denver",
    "MDT": "America/Denver",
    "CST": "America/Chicago",
    "CDT": "America/Chicago",
    "EST": "America/New_York",
    "EDT": "America/New_York",
    "BST": "Europe/London",
    "CET": "Europe/Paris",
    "CEST": "Europe/Paris",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "AEST": "Australia/Sydney",
    "AEDT": "Australia/Sydney",
}


@dataclass(slots=True)
class Parsed:
    """What a text said; ``offset`` in milliseconds."""

    fields: dict[str, int] = field(default_factory=dict)
    offset: int | None = None
    zone: tzinfo | None = None


class Part(NamedTuple):
    """One run of letters, or literal text, of a pattern."""

    regexp: str
    format: Callable[[datetime], str]
    store: Callable[[Parsed, str], None] | None


def as_tzinfo(zone: str | None) -> tzinfo:
    """Return the zone by its Java id; UTC by default. Raises EvaluationError."""
    if zone is None:
        return UTC
    found = zone_of(zone)
    return timezone(found) if isinstance(found, timedelta) else found


class Pattern:
    """A compiled pattern."""

    def __init__(self, pattern: str) -> None:
        self._parts = _parse(pattern)
        try:
            self._regexp = re.compile("".join(f"({part.regexp})" for part in self._parts), re.IGNORECASE)
        except re.error as error:
            raise EvaluationError(f"Invalid date pattern '{pattern}': {error}") from error
        self._text = pattern

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
            return datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=fields["day_of_year"] - 1)
        # Java's smart resolver: 30 February is the last day of February.
        day = min(fields.get("day", 1), calendar.monthrange(year, month)[1])
        return datetime(year, month, day, tzinfo=UTC)
    except ValueError as error:
        raise EvaluationError(f"no such date: {error}") from error


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
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004 - the clock
        raise EvaluationError("no such time of day")
    return ((hour * 60 + minute) * 60 + second) * 1000 + fields.get("millisecond", 0)


def timestamp_of(parsed: Parsed, zone: tzinfo = UTC) -> int:
    """Return epoch milliseconds; ``zone`` applies where the text names none."""
    local = date_of(parsed)
    clock = time_of(parsed)
    if parsed.offset is not None:
        return (local - _EPOCH) // timedelta(milliseconds=1) + clock - parsed.offset
    moment = (local + timedelta(milliseconds=clock)).replace(tzinfo=parsed.zone or zone)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _parse(pattern: str) -> list[Part]:
    parts: list[Part] = []
    for token in re.finditer(r"'(?:[^']|'')*'|([A-Za-z])\1*|.", pattern, re.DOTALL):
        text = token[0]
        if token[1] is not None:
            parts.append(_field(text[0], len(text)))
        elif text == "[":
            parts.append(_literal("", "(?:"))
        elif text == "]":
            parts.append(_literal("", ")?"))
        else:
            literal = "'" if text == "''" else text[1:-1].replace("''", "'") if text[0] == "'" else text
            parts.append(_literal(literal, re.escape(literal)))
    return _with_options(parts)


def _literal(text: str, regexp: str) -> Part:
    return Part(regexp, lambda _: text, None)


def _with_options(parts: list[Part]) -> list[Part]:
    """Make the fields between brackets optional each: that accepts a little more than Java, never less."""
    result, depth = [], 0
    for part in parts:
        if part.regexp == "(?:":
            depth += 1
        elif part.regexp == ")?":
            depth -= 1
        else:
            result.append(part._replace(regexp=f"(?:{part.regexp})?") if depth else part)
    return result


def _number(name: str, width: int, get: Callable[[datetime], int], *, most: int = 19) -> Part:
    regexp = rf"\d{{{width}}}" if width > 1 else rf"\d{{1,{most}}}"
    return Part(regexp, lambda moment: str(get(moment)).zfill(width), _stored(name))


def _stored(name: str) -> Callable[[Parsed, str], None]:
    def store(parsed: Parsed, text: str) -> None:
        parsed.fields[name] = int(text)

    return store


def _year(width: int) -> Part:
    if width == 2:  # noqa: PLR2004 - yy

        def store(parsed: Parsed, text: str) -> None:
            parsed.fields["year"] = 2000 + int(text)

        return Part(r"\d{2}", lambda moment: f"{moment.year % 100:02d}", store)
    regexp = r"\d{4,9}" if width == _FULL_WIDTH else r"\d{1,9}"
    return Part(regexp, lambda moment: str(moment.year).zfill(width), _stored("year"))


def _named(names: list[str], width: int, get: Callable[[datetime], int], name: str | None) -> Part:
    texts = names if width == _FULL_WIDTH else [text[:3] for text in names]

    def store(parsed: Parsed, text: str) -> None:
        if name is not None:
            parsed.fields[name] = texts.index(text.capitalize()) + 1

    return Part("|".join(texts), lambda moment: texts[get(moment) - 1], store)


def _fraction(width: int) -> Part:
    def store(parsed: Parsed, text: str) -> None:
        parsed.fields["millisecond"] = int(text.ljust(3, "0")[:3])

    return Part(rf"\d{{{width}}}", lambda moment: f"{moment.microsecond:06d}".ljust(width, "0")[:width], store)


def _afternoon(_: int) -> Part:
    def store(parsed: Parsed, text: str) -> None:
        parsed.fields["afternoon"] = int(text.upper() == "PM")

    return Part("AM|PM", lambda moment: "AM" if moment.hour < 12 else "PM", store)  # noqa: PLR2004 - noon


def _offset(letter: str, width: int) -> Part:
    colon = ":" if width == _TEXT_WIDTH or width > _FULL_WIDTH else ""
    zulu = letter == "X" or (letter == "Z" and width > _FULL_WIDTH)

    def write(moment: datetime) -> str:
        minutes = int((moment.utcoffset() or timedelta()) / timedelta(minutes=1))
        if minutes == 0 and zulu:
            return "Z"
        sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
        short = letter in "Xx" and width == 1 and rest == 0
        return f"{sign}{hours:02d}" if short else f"{sign}{hours:02d}{colon}{rest:02d}"

    def store(parsed: Parsed, text: str) -> None:
        digits = text[1:].replace(":", "").ljust(4, "0")
        minutes = int(digits[:2]) * 60 + int(digits[2:4]) if text not in "Zz" else 0
        parsed.offset = (-minutes if text[0] == "-" else minutes) * 60_000

    regexp = rf"[+-]\d{{2}}(?:{colon}\d{{2}})" + ("?" if letter in "Xx" and width == 1 else "")
    return Part(f"Z|{regexp}" if zulu else regexp, write, store)


def _zone_id(_: int) -> Part:
    return Part(_ZONE, lambda moment: getattr(moment.tzinfo, "key", None) or moment.tzname() or "UTC", _store_zone)


def _zone_name(_: int) -> Part:
    return Part(_ZONE, lambda moment: moment.tzname() or "UTC", _store_zone)


def _store_zone(parsed: Parsed, text: str) -> None:
    parsed.zone = as_tzinfo(_SHORT_ZONES.get(text.upper(), text))


def _month(width: int) -> Part:
    if width >= _TEXT_WIDTH:
        return _named(_MONTHS, width, lambda moment: moment.month, "month")
    return _number("month", width, lambda moment: moment.month)


def _day_name(width: int) -> Part:
    return _named(_DAYS, max(width, _TEXT_WIDTH), lambda moment: moment.weekday() + 1, None)


_LETTERS: dict[str, Callable[[int], Part]] = {
    "y": _year,
    "u": _year,
    "M": _month,
    "L": _month,
    "d": lambda width: _number("day", width, lambda moment: moment.day),
    "D": lambda width: _number("day_of_year", width, lambda moment: moment.timetuple().tm_yday),
    "E": _day_name,
    "e": lambda width: _number("", width, lambda moment: moment.isoweekday() % 7 + 1),
    "H": lambda width: _number("hour", width, lambda moment: moment.hour),
    "k": lambda width: _number("hour", width, lambda moment: moment.hour or 24),
    "h": lambda width: _number("hour12", width, lambda moment: (moment.hour - 1) % 12 + 1),
    "K": lambda width: _number("hour12", width, lambda moment: moment.hour % 12),
    "m": lambda width: _number("minute", width, lambda moment: moment.minute),
    "s": lambda width: _number("second", width, lambda moment: moment.second),
    "S": _fraction,
    "n": lambda width: _number("", width, lambda moment: moment.microsecond * 1000),
    "a": _afternoon,
    "X": lambda width: _offset("X", width),
    "x": lambda width: _offset("x", width),
    "Z": lambda width: _offset("Z", width),
    "V": _zone_id,
    "z": _zone_name,
    "Q": lambda width: _number("", width, lambda moment: (moment.month + 2) // 3),
    "w": lambda width: _number("", width, lambda moment: moment.isocalendar().week),
    "G": lambda _: _literal("AD", "AD"),
}


def _field(letter: str, width: int) -> Part:
    make = _LETTERS.get(letter)
    if make is None:
        raise EvaluationError(f"Unknown pattern letter: {letter}")
    return make(width)
