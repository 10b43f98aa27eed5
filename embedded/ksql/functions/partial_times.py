"""ISO dates and times that may stop short, as CAST and comparisons with literals accept them."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from embedded.ksql.functions.interface import EvaluationError

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?", re.ASCII)
_WHOLE_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_TIME = re.compile(r"(\d{2}):(\d{2}):(\d{2})\.(\d{3})", re.ASCII)
_ZERO_CLOCK = "00:00:00.000"
_CLOCK = re.compile(r"(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII)
_ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2}|[+-]\d{1,2})$", re.ASCII)
_MIDNIGHT_AFTER = (24, 0, 0, 0)
_LONGEST_MONTH = 31
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


def parse_timestamp(text: str) -> int:
    """Return milliseconds since the epoch of e.g. ``2024``, ``2024-02-30`` (the 29th), ``2024-02-29T12:30+0200``.

    The time of day is filled up with zeros, digit by digit: ``T1`` is 10 o'clock. Raises EvaluationError.
    """
    day, has_clock, clock = text.partition("T")
    zone = _ZONE.search(clock)
    clock = clock[: zone.start()] if zone is not None else clock
    clock += _ZERO_CLOCK[len(clock) :]
    found_day = (_WHOLE_DATE if has_clock else _DATE).fullmatch(day)
    found_clock = _TIME.fullmatch(clock)
    if found_day is None or found_clock is None:
        raise EvaluationError(f"Failed to parse timestamp '{text}': expected yyyy-MM-dd'T'HH:mm:ss.SSS, or a prefix")
    year, month, day_of_month = (int(part or 1) for part in found_day.groups())
    hour, minute, second, millisecond = map(int, found_clock.groups())
    next_day = (hour, minute, second, millisecond) == _MIDNIGHT_AFTER
    try:
        last = calendar.monthrange(year, month)[1]
        # Java's smart resolver: 30 February is the last of the month, the 32nd of anything is an error.
        resolved = day_of_month if day_of_month > _LONGEST_MONTH else min(day_of_month, last)
        moment = datetime(year, month, resolved, 0 if next_day else hour, minute, second, tzinfo=UTC)
    except ValueError as error:
        raise EvaluationError(f"Failed to parse timestamp '{text}': {error}") from error
    moment += timedelta(days=next_day)
    return int(moment.timestamp()) * 1000 + millisecond - zone_offset(zone and zone[0])


def zone_offset(zone: str | None) -> int:
    """Return milliseconds east of UTC of ``Z``, ``+0200`` or nothing."""
    found = _OFFSET.fullmatch(zone or "")
    if found is None:
        return 0
    milliseconds = (int(found[2]) * 60 + int(found[3] or 0)) * 60_000
    return milliseconds if found[1] == "+" else -milliseconds


def parse_date(text: str) -> int:
    """Return days since the epoch of ``2024``, ``2024-02`` or ``2024-02-29``. Raises EvaluationError."""
    parts = _DATE.fullmatch(text)
    if parts is None:
        raise EvaluationError(f"Failed to parse date '{text}': expected yyyy-MM-dd, or a prefix")
    try:
        return date(*(int(part or 1) for part in parts.groups())).toordinal() - _EPOCH_ORDINAL
    except ValueError as error:
        raise EvaluationError(f"Failed to parse date '{text}': {error}") from error


def parse_time(text: str) -> int:
    """Return milliseconds since midnight of ``HH:mm[:ss[.SSS]]``. Raises EvaluationError."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        raise EvaluationError(f"Failed to parse time '{text}': expected HH:mm:ss.SSS, or HH:mm")
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004 - the clock
        raise EvaluationError(f"Failed to parse time '{text}': no such time of day")
    return ((hour * 60 + minute) * 60 + second) * 1000 + int((found[4] or "").ljust(3, "0")[:3])


def zone_of(name: str) -> ZoneInfo | timedelta:
    """Return the zone of a Java zone id: an IANA name, ``UTC``, or an offset such as ``+05:30``.

    Raises EvaluationError.
    """
    found = re.fullmatch(r"(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?", name)
    if found is not None:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return offset if found[1] == "+" else -offset
    try:
        return ZoneInfo("UTC" if name == "Z" else name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise EvaluationError(f"Unknown time-zone ID: {name}") from error
