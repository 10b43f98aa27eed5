"""The letters of Java's date patterns: how each is written, and what it says when it is read.

They are those of java.time.format.DateTimeFormatter, in English.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.partial_times import zone_of

_MONTHS = list(calendar.month_name)[1:]
_DAYS = list(calendar.day_name)
_TEXT_WIDTH, _FULL_WIDTH, _NARROW_WIDTH = 3, 4, 5
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


def parts_of(pattern: str) -> list[Part]:
    """Return the parts of a pattern. Raises EvaluationError for one that Java refuses."""
    parts: list[Part] = []
    for token in re.finditer(r"'(?:[^']|'')*'|([A-Za-z])\1*|.", pattern, re.DOTALL):
        text = token[0]
        if token[1] is not None:
            parts.append(_field(text[0], len(text)))
        elif text == "[":
            parts.append(_literal("", "(?:"))
        elif text == "]":
            parts.append(_literal("", ")?"))
        elif text in {"{", "}", "#"}:
            raise EvaluationError(f"Pattern includes reserved character: '{text}'")
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


def _number(name: str, width: int, get: Callable[[datetime], int], *, clock: int | None = None) -> Part:
    """Return the part of a number; ``clock`` is the highest of a clock's hours, which may stand for 0."""
    regexp = rf"\d{{{width}}}" if width > 1 else r"\d{1,19}"
    return Part(regexp, lambda moment: str(get(moment)).zfill(width), _stored(name, clock))


def _stored(name: str, clock: int | None = None) -> Callable[[Parsed, str], None]:
    def store(parsed: Parsed, text: str) -> None:
        value = int(text)
        if clock is not None:
            if value > clock:
                raise EvaluationError(f"{value} is beyond {clock}")
            value %= clock
        parsed.fields[name] = value

    return store


def _year(width: int) -> Part:
    if width == 2:  # noqa: PLR2004 - yy

        def store(parsed: Parsed, text: str) -> None:
            parsed.fields["year"] = 2000 + int(text)

        return Part(r"\d{2}", lambda moment: f"{moment.year % 100:02d}", store)
    regexp = r"\d{4,9}" if width == _FULL_WIDTH else r"\d{1,9}"
    return Part(regexp, lambda moment: str(moment.year).zfill(width), _stored("year"))


def _named(names: list[str], width: int, get: Callable[[datetime], int], name: str) -> Part:
    lengths = {_TEXT_WIDTH: 3, _NARROW_WIDTH: 1}
    texts = [text[: lengths.get(width)] for text in names]

    def store(parsed: Parsed, text: str) -> None:
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
    if letter == "O" or (letter == "Z" and width == _FULL_WIDTH):
        return _localized_offset(width)
    colon = ":" if (width == _TEXT_WIDTH and letter != "Z") or width > _FULL_WIDTH else ""
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


def _localized_offset(width: int) -> Part:
    """Return the part of ``GMT-05:00``, or of ``GMT-5`` where one letter asks for no more than is needed."""

    def write(moment: datetime) -> str:
        minutes = int((moment.utcoffset() or timedelta()) / timedelta(minutes=1))
        if minutes == 0:
            return "GMT"
        hours, rest = divmod(abs(minutes), 60)
        short = f"{hours}" + (f":{rest:02d}" if rest else "")
        return f"GMT{'-' if minutes < 0 else '+'}" + (short if width == 1 else f"{hours:02d}:{rest:02d}")

    def store(parsed: Parsed, text: str) -> None:
        hours, _, rest = text[4:].partition(":")
        minutes = int(hours or 0) * 60 + int(rest or 0)
        parsed.offset = (-minutes if text[3:4] == "-" else minutes) * 60_000

    return Part(r"GMT(?:[+-]\d{1,2}(?::\d{2})?)?", write, store)


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
    return _named(_DAYS, max(width, _TEXT_WIDTH), datetime.isoweekday, "weekday")


def _local_day(width: int) -> Part:
    if width >= _TEXT_WIDTH:
        return _day_name(width)
    return _number("", width, lambda moment: moment.isoweekday() % 7 + 1)


def _quarter(width: int) -> Part:
    if width < _TEXT_WIDTH:
        return _number("", width, lambda moment: (moment.month + 2) // 3)
    texts = ["1st quarter", "2nd quarter", "3rd quarter", "4th quarter"]
    names = [f"Q{index}" for index in range(1, 5)] if width == _TEXT_WIDTH else texts
    return Part("|".join(names), lambda moment: names[(moment.month - 1) // 3], None)


def _week_year(width: int) -> Part:
    """Return the part of the year that the week (Sunday to Saturday) belongs to; it says nothing of a date."""

    def write(moment: datetime) -> str:
        year = str((moment + timedelta(days=6 - moment.isoweekday() % 7)).year)
        return year[-2:] if width == 2 else year.zfill(width)  # noqa: PLR2004 - YY

    return Part(r"\d{1,9}", write, None)


def _since_midnight(moment: datetime) -> int:
    return ((moment.hour * 60 + moment.minute) * 60 + moment.second) * 1000 + moment.microsecond // 1000


_LETTERS: dict[str, Callable[[int], Part]] = {
    "y": _year,
    "u": _year,
    "Y": _week_year,
    "M": _month,
    "L": _month,
    "d": lambda width: _number("day", width, lambda moment: moment.day),
    "D": lambda width: _number("day_of_year", width, lambda moment: moment.timetuple().tm_yday),
    "E": _day_name,
    "e": _local_day,
    "c": _local_day,
    "H": lambda width: _number("hour", width, lambda moment: moment.hour),
    "k": lambda width: _number("hour", width, lambda moment: moment.hour or 24, clock=24),
    "h": lambda width: _number("hour12", width, lambda moment: (moment.hour - 1) % 12 + 1, clock=12),
    "K": lambda width: _number("hour12", width, lambda moment: moment.hour % 12, clock=12),
    "m": lambda width: _number("minute", width, lambda moment: moment.minute),
    "s": lambda width: _number("second", width, lambda moment: moment.second),
    "S": _fraction,
    "n": lambda width: _number("", width, lambda moment: moment.microsecond * 1000),
    "A": lambda width: _number("", width, _since_midnight),
    "N": lambda width: _number("", width, lambda moment: _since_midnight(moment) * 1_000_000),
    "a": _afternoon,
    "X": lambda width: _offset("X", width),
    "x": lambda width: _offset("x", width),
    "Z": lambda width: _offset("Z", width),
    "O": lambda width: _offset("O", width),
    "V": _zone_id,
    "z": _zone_name,
    "Q": _quarter,
    "q": _quarter,
    "w": lambda width: _number("", width, lambda moment: moment.isocalendar().week),
    "W": lambda width: _number(
        "", width, lambda moment: (moment.day + moment.replace(day=1).isoweekday() % 7 + 6) // 7
    ),
    "F": lambda width: _number("", width, lambda moment: (moment.day - 1) % 7 + 1),
    "G": lambda width: _literal(*["Anno Domini" if width == _FULL_WIDTH else "AD"] * 2),
}
#: How many letters of a kind there may be; of all others, 19.
_MOST = {
    **dict.fromkeys("MLEecQqG", 5),
    **dict.fromkeys("dHhKkmsw", 2),
    **dict.fromkeys("aFW", 1),
    "D": 3,
    **dict.fromkeys("zOyuY", 19),
    "z": 4,
    **dict.fromkeys("XxZ", 5),
}


def _field(letter: str, width: int) -> Part:
    make = _LETTERS.get(letter)
    if make is None:
        raise EvaluationError(f"Unknown pattern letter: {letter}")
    if letter == "V" and width != 2:  # noqa: PLR2004 - VV
        raise EvaluationError(f"Pattern letter count must be 2: {letter}")
    if letter == "O" and width not in {1, _FULL_WIDTH}:
        raise EvaluationError(f"Pattern letter count must be 1 or 4: {letter}")
    if width > _MOST.get(letter, 19):
        raise EvaluationError(f"Too many pattern letters: {letter}")
    return make(width)
