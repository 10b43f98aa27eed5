"""Date and time functions."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_date_fields import as_tzinfo
from embedded.ksql.functions.java_dates import (
    DAY_MS,
    compiled,
    date_of,
    lenient_date_of,
    moment_of,
    time_of,
    timestamp_of,
)
from embedded.ksql.functions.registry import scalar

dated = partial(scalar, category="DATE / TIME")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {
    "MILLISECONDS": 1,
    "SECONDS": 1_000,
    "MINUTES": 60_000,
    "HOURS": 3_600_000,
    "HALF_DAYS": 43_200_000,
    "DAYS": DAY_MS,
    "WEEKS": 7 * DAY_MS,
}
_MONTHS = {"MONTHS": 1, "YEARS": 12, "DECADES": 120, "CENTURIES": 1200}


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _plural(unit: str) -> str:
    upper = unit.upper()
    return upper if upper.endswith("S") else f"{upper}S"


def _shifted(unit: str, number: int, milliseconds: int) -> int:
    name = _plural(unit)
    if name in _UNITS:
        return milliseconds + number * _UNITS[name]
    if name not in _MONTHS:
        raise EvaluationError(f"Unsupported interval unit: {unit}")
    moment = moment_of(milliseconds)
    months = moment.year * 12 + moment.month - 1 + number * _MONTHS[name]
    year, month = months // 12, months % 12 + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    return _milliseconds(moment.replace(year=year, month=month, day=day))


def _shifted_date(unit: str, number: int, days: int) -> int:
    return int(_shifted(unit, number, days * DAY_MS) / DAY_MS)  # towards 1970, as TimeUnit's conversions go


def _shifted_time(unit: str, number: int, milliseconds: int) -> int:
    return _shifted(unit, number, milliseconds) % DAY_MS


def _backwards(shift: Callable[[str, int, int], int]) -> Callable[[str, int, int], int]:
    return lambda unit, number, value: shift(unit, -number, value)


for _name, _type, _shift in (
    ("timestamp", "TIMESTAMP", _shifted),
    ("date", "DATE", _shifted_date),
    ("time", "TIME", _shifted_time),
):
    _parameters = f"INTERVALUNIT unit, INT interval, {_type} {_name} -> {_type}"
    dated(f"{_name}add", _parameters, f"Adds a duration to a {_type} value.")(_shift)
    dated(f"{_name}sub", _parameters, f"Subtracts a duration from a {_type} value.")(_backwards(_shift))


@dated("unix_timestamp", " -> BIGINT", "Returns the current time in milliseconds since the epoch.")
def unix_timestamp() -> int:
    """Return the wall clock's time."""
    return time.time_ns() // 1_000_000


@dated("unix_timestamp", "TIMESTAMP timestamp -> BIGINT", "Returns a TIMESTAMP in milliseconds since the epoch.")
@dated("from_unixtime", "BIGINT epochMilli -> TIMESTAMP", "Converts milliseconds since the epoch to a TIMESTAMP.")
@dated("unix_date", "DATE date -> INT", "Returns a DATE in days since the epoch.")
@dated("from_days", "INT days -> DATE", "Converts days since the epoch to a DATE.")
def same_number(value: int) -> int:
    """Return the number: only its type changes."""
    return value


@dated("unix_date", " -> INT", "Returns the current date in days since the epoch.")
def unix_date() -> int:
    """Return today, UTC."""
    return unix_timestamp() // DAY_MS


@dated(
    "convert_tz",
    "TIMESTAMP timestamp, VARCHAR fromTimeZone, VARCHAR toTimeZone -> TIMESTAMP",
    "Converts a TIMESTAMP from one time zone to another.",
)
def convert_tz(value: int, source: str, target: str) -> int:
    """Shift a timestamp by the difference of two zones at that moment (taken as one of UTC, as ksqlDB does)."""
    offsets = [moment_of(value, as_tzinfo(zone)).utcoffset() or timedelta() for zone in (source, target)]
    return value + (offsets[1] - offsets[0]) // timedelta(milliseconds=1)


@dated("format_timestamp", "TIMESTAMP timestamp, VARCHAR formatPattern -> VARCHAR", "Formats a TIMESTAMP.")
@dated("format_timestamp", "TIMESTAMP timestamp, VARCHAR formatPattern, VARCHAR timeZone -> VARCHAR", "… in a zone.")
@dated("timestamptostring", "BIGINT epochMilli, VARCHAR formatPattern -> VARCHAR", "Formats milliseconds.")
@dated("timestamptostring", "BIGINT epochMilli, VARCHAR formatPattern, VARCHAR timeZone -> VARCHAR", "… in a zone.")
def format_timestamp(value: int, pattern: str, zone: str | None = None) -> str:
    """Return the text of a timestamp."""
    return compiled(pattern).format(moment_of(value, as_tzinfo(zone)))


@dated("parse_timestamp", "VARCHAR formattedTimestamp, VARCHAR formatPattern -> TIMESTAMP", "Parses a TIMESTAMP.")
@dated(
    "parse_timestamp",
    "VARCHAR formattedTimestamp, VARCHAR formatPattern, VARCHAR timeZone -> TIMESTAMP",
    "Parses a TIMESTAMP in a zone.",
)
@dated("stringtotimestamp", "VARCHAR formattedTimestamp, VARCHAR formatPattern -> BIGINT", "Parses to milliseconds.")
@dated(
    "stringtotimestamp",
    "VARCHAR formattedTimestamp, VARCHAR formatPattern, VARCHAR timeZone -> BIGINT",
    "Parses to milliseconds in a zone.",
)
def parse_timestamp(text: str, pattern: str, zone: str | None = None) -> int:
    """Return the timestamp of a text."""
    return timestamp_of(compiled(pattern).parse(text), as_tzinfo(zone))


@dated("format_date", "DATE date, VARCHAR formatPattern -> VARCHAR", "Formats a DATE.")
@dated("datetostring", "INT epochDays, VARCHAR formatPattern -> VARCHAR", "Formats days since the epoch.")
def format_date(days: int, pattern: str) -> str:
    """Return the text of a date. Raises EvaluationError for a pattern with a time of day or a zone."""
    return compiled(pattern).of_dates().format(moment_of(days * DAY_MS))


@dated("parse_date", "VARCHAR formattedDate, VARCHAR formatPattern -> DATE", "Parses a DATE.")
def parse_date(text: str, pattern: str) -> int:
    """Return the date of a text, as leniently as SimpleDateFormat: 30 February is 1 March.

    Raises EvaluationError for a time of day other than midnight.
    """
    parsed = compiled(pattern).parse(text, prefix=True)
    if time_of(parsed) != 0:
        raise EvaluationError("Date format contains time field.")
    return (lenient_date_of(parsed) - _EPOCH).days


@dated("stringtodate", "VARCHAR formattedDate, VARCHAR formatPattern -> INT", "Parses to days since the epoch.")
def string_to_date(text: str, pattern: str) -> int:
    """Return the day of a text; 30 February is the last of February, as java.time has it.

    Raises EvaluationError for less than a date.
    """
    parsed = compiled(pattern).parse(text)
    if "year" not in parsed.fields or not ({"month", "day"} <= parsed.fields.keys() or "day_of_year" in parsed.fields):
        raise EvaluationError(f"'{text}' is no whole date")
    return (date_of(parsed) - _EPOCH).days


@dated("format_time", "TIME time, VARCHAR formatPattern -> VARCHAR", "Formats a TIME.")
def format_time(value: int, pattern: str) -> str:
    """Return the text of a time of day. Raises EvaluationError for a pattern with a date or a zone."""
    return compiled(pattern).of_times().format(moment_of(value))


@dated("parse_time", "VARCHAR formattedTime, VARCHAR formatPattern -> TIME", "Parses a TIME.")
def parse_time(text: str, pattern: str) -> int:
    """Return the time of day of a text. Raises EvaluationError for a pattern with a date, or without an hour."""
    parsed = compiled(pattern).of_times().parse(text)
    if "hour" not in parsed.fields and not {"hour12", "afternoon"} <= parsed.fields.keys():
        raise EvaluationError(f"'{text}' has no hour of the day")
    return time_of(parsed)
