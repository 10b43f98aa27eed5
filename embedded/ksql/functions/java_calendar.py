"""Java's calendars: dates of any year, where Python's end at 9999 and begin at 1."""

from __future__ import annotations

Date = tuple[int, int, int]  # year (0 is 1 BC), month, day

LAST_YEAR_WITHOUT_SIGN = 9_999
_DAY_MS = 86_400_000
_DAYS_TO_MARCH_0000 = 719_468  # from 1 March of the year 0 to 1 January 1970, in the Gregorian calendar
_JULIAN_DAYS_TO_MARCH_0000 = 719_470
_FIRST_GREGORIAN_DAY = -141_427  # 15 October 1582
_YEAR_DAYS, _FOUR_YEARS, _CENTURY, _FOUR_CENTURIES = 365, 1_461, 36_524, 146_097


def date_of(days: int) -> Date:
    """Return the date of days since 1970 in the Gregorian calendar, which java.time extends to all times.

    The formula is Howard Hinnant's, https://howardhinnant.github.io/date_algorithms.html#civil_from_days.
    """
    era, rest = divmod(days + _DAYS_TO_MARCH_0000, _FOUR_CENTURIES)
    year = (rest - rest // (_FOUR_YEARS - 1) + rest // _CENTURY - rest // (_FOUR_CENTURIES - 1)) // _YEAR_DAYS
    return _date(400 * era + year, rest - (_YEAR_DAYS * year + year // 4 - year // 100))


def era_date_of(days: int) -> Date:
    """Return the date with the year of its era: 1 BC is 1."""
    return _of_era(date_of(days))


def legacy_date_of(days: int) -> Date:
    """Return the date as java.util.GregorianCalendar has it: Julian before 1582, with the year of its era."""
    if days >= _FIRST_GREGORIAN_DAY:
        return era_date_of(days)
    cycle, rest = divmod(days + _JULIAN_DAYS_TO_MARCH_0000, _FOUR_YEARS)
    of_cycle = min(rest // _YEAR_DAYS, 3)
    return _of_era(_date(4 * cycle + of_cycle, rest - _YEAR_DAYS * of_cycle))


def clock_of(milliseconds: int) -> tuple[int, str]:
    """Return the days since 1970 and the time of day, ``22:13:20.123``."""
    days, rest = divmod(milliseconds, _DAY_MS)
    seconds, fraction = divmod(rest, 1_000)
    return days, f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{fraction:03d}"


def _of_era(date: Date) -> Date:
    year, month, day = date
    return (year if year > 0 else 1 - year), month, day


def _date(year: int, day_of_year: int) -> Date:
    """Return the date of a day of a year that begins in March."""
    index = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * index + 2) // 5 + 1
    return (year, index + 3, day) if index < 10 else (year + 1, index - 9, day)  # noqa: PLR2004 - March to December
