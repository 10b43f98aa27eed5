"""Java's date patterns, time zones, and casts between all types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.ksql import types
from embedded.ksql.errors import StatementError
from embedded.ksql.functions import times
from embedded.ksql.functions.casts import cast, cast_function
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_text import double_text
from embedded.ksql.types import SqlType

MILLENNIA = st.integers(-30_609_792_000_000, 253_339_228_800_000)  # the years 1000 to 9997
S, N, L, D, B = types.STRING, types.INTEGER, types.BIGINT, types.DOUBLE, types.BOOLEAN


@given(MILLENNIA, st.sampled_from(["yyyy-MM-dd'T'HH:mm:ss.SSSX", "dd.MM.yyyy HH:mm:ss,SSS xxx", "yyyyMMddHHmmssSSSZ"]))
def test_a_formatted_timestamp_is_parsed_to_itself(milliseconds: int, pattern: str) -> None:
    for zone in ("UTC", "+05:30", "Z"):
        text = times.format_timestamp(milliseconds, pattern, zone)
        assert times.parse_timestamp(text, pattern) == milliseconds


@pytest.mark.parametrize(
    ("pattern", "zone", "text"),
    [
        ("yyyy-MM-dd HH:mm:ss.SSS", None, "2023-11-14 22:13:20.123"),
        ("yyyy-MM-dd'T'HH:mm:ssX", "America/New_York", "2023-11-14T17:13:20-05"),
        ("HH:mm xxx", "Asia/Kolkata", "03:43 +05:30"),
        ("EEEE, d MMMM yy h:mm a", None, "Tuesday, 14 November 23 10:13 PM"),
        ("EEE MMM D", None, "Tue Nov 318"),
        ("'it''s' H 'o''clock' VV", "Europe/Berlin", "it's 23 o'clock Europe/Berlin"),
        ("yyyy.SSSSSS Z", None, "2023.123000 +0000"),
    ],
)
def test_patterns_are_javas(pattern: str, zone: str | None, text: str) -> None:
    assert times.format_timestamp(1_700_000_000_123, pattern, zone) == text


@pytest.mark.parametrize(
    ("text", "pattern", "zone", "milliseconds"),
    [
        ("2024-07-01 12:00", "yyyy-MM-dd HH:mm", "Europe/Berlin", 1_719_828_000_000),
        ("2024-02-29", "yyyy-MM-dd", None, 1_709_164_800_000),
        ("2024-02-30", "yyyy-MM-dd", None, 1_709_164_800_000),
        ("1 Mar 2024 1:05 PM", "d MMM yyyy h:mm a", None, 1_709_298_300_000),
        ("2024-03-01", "yyyy-MM-dd[ HH:mm]", None, 1_709_251_200_000),
        ("2024-03-01T00:00 Asia/Tokyo", "yyyy-MM-dd'T'HH:mm VV", None, 1_709_218_800_000),
    ],
)
def test_texts_are_parsed_by_pattern(text: str, pattern: str, zone: str | None, milliseconds: int) -> None:
    assert times.parse_timestamp(text, pattern, zone) == milliseconds


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("bad", "yyyy"),
        ("2024-13-01", "yyyy-MM-dd"),
        ("2024-01-32", "yyyy-MM-dd"),
        ("2023-366", "yyyy-DDD"),
        ("25:00", "HH:mm"),
    ],
)
def test_a_text_that_does_not_fit_its_pattern_raises(text: str, pattern: str) -> None:
    with pytest.raises(EvaluationError):
        times.parse_timestamp(text, pattern)


def test_a_date_has_no_clock_and_a_time_no_calendar() -> None:
    for wrong in (
        lambda: times.format_date(0, "yyyy HH"),
        lambda: times.format_time(0, "HH:mm X"),
        lambda: times.parse_time("2024", "yyyy"),
        lambda: times.parse_time("05:10", "mm:ss"),
        lambda: times.parse_date("2024-01-01 10", "yyyy-MM-dd HH"),
        lambda: times.string_to_date("2024-01", "yyyy-MM"),
    ):
        with pytest.raises(EvaluationError):
            wrong()
    assert times.parse_date("2024-01-01 00", "yyyy-MM-dd HH") == 19_723
    assert times.parse_time("24:10", "kk:mm") == 600_000


def test_zones_are_those_of_the_moment_taken_as_utc() -> None:
    # Two hours before New York's clocks go forward, at 07:00 UTC.
    assert times.convert_tz(1_710_046_800_000, "UTC", "America/New_York") == 1_710_046_800_000 - 5 * 3_600_000


def test_a_date_before_1970_loses_its_hours_towards_1970() -> None:
    assert times._shifted_date("HOURS", -1, 0) == 0
    assert times._shifted_date("HOURS", -1, 2) == 1


def test_an_unknown_zone_or_letter_raises() -> None:
    with pytest.raises(EvaluationError, match="Unknown time-zone ID: Mars/Base"):
        times.format_timestamp(0, "yyyy", "Mars/Base")
    with pytest.raises(EvaluationError, match="Unknown pattern letter: b"):
        times.format_timestamp(0, "b")


def test_parse_date_is_lenient_and_string_to_date_is_not() -> None:
    assert times.parse_date("2024-02-30", "yyyy-MM-dd") == 19_783
    assert times.string_to_date("2024-02-29", "yyyy-MM-dd") == 19_782


def test_zones_and_units_shift_times() -> None:
    assert times.convert_tz(-1, "UTC", "Asia/Tokyo") == 32_399_999
    assert times._shifted("MONTHS", 1, 1_706_659_200_000) == 1_709_164_800_000  # 31 January and a month: 29 February
    assert times._shifted_time("HOURS", 23, 7_200_000) == 3_600_000
    with pytest.raises(EvaluationError, match="Unsupported interval unit"):
        times._shifted("FORTNIGHTS", 1, 0)


@pytest.mark.parametrize(
    ("value", "source", "target", "result"),
    [
        (" 12 ", S, N, 12),
        ("1e3", S, D, 1000.0),
        ("1.005", S, types.decimal(6, 2), Decimal("1.01")),
        ("yes", S, B, True),
        ("", S, B, False),
        ("on", S, B, False),
        (1.005, D, types.decimal(6, 2), Decimal("1.01")),
        (-1.9, D, N, -1),
        (1e20, D, N, 2**31 - 1),
        (3_000_000_000, L, N, -1_294_967_296),
        (Decimal("-2.555"), types.decimal(10, 3), types.decimal(6, 1), Decimal("-2.6")),
        (Decimal("-2.555"), types.decimal(10, 3), N, -2),
        (True, B, S, "true"),
        (1.5e-7, D, S, "1.5E-7"),
        (12345678.9, D, S, "1.23456789E7"),
        (1_700_000_000_123, types.TIMESTAMP, S, "2023-11-14T22:13:20.123"),
        (253_402_300_800_000, types.TIMESTAMP, S, "+10000-01-01T00:00:00.000"),
        (-62_135_596_800_001, types.TIMESTAMP, S, "0001-12-31T23:59:59.999"),
        (2_932_897, types.DATE, S, "+10000-01-01"),
        (3_661_123, types.TIME, S, "01:01:01"),
        (0, types.TIME, S, "00:00"),
        ([1, None], types.array(N), S, "[1, null]"),
        ({"a": 1}, types.mapping(S, N), S, "{a=1}"),
        ({"X": 1, "Y": None}, types.struct(("X", N), ("Y", S)), S, "Struct{X=1}"),
        ("2024-02-29T12:30:15+0200", S, types.TIMESTAMP, 1_709_202_615_000),
        ("2024-02-30", S, types.TIMESTAMP, 1_709_164_800_000),
        ("2024", S, types.DATE, 19_723),
        ("12:30", S, types.TIME, 45_000_000),
        (-1, types.TIMESTAMP, types.TIME, 86_399_999),
        (-1, types.DATE, types.TIMESTAMP, -86_400_000),
        (["1", None], types.array(S), types.array(N), [1, None]),
        ({"x": 1.9}, types.mapping(S, D), types.mapping(S, N), {"x": 1}),
        ({"X": 1}, types.struct(("X", N)), types.struct(("X", S), ("Z", N)), {"X": "1", "Z": None}),
    ],
)
def test_values_are_cast_as_ksqldb_casts_them(value: Any, source: SqlType, target: SqlType, result: Any) -> None:
    got = cast(value, source, target)
    assert got == result
    assert str(got) == str(result)
    assert cast(None, source, target) is None


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("1.5", N),
        ("3000000000", N),
        ("abc", D),
        ("99999.99", types.decimal(6, 2)),
        ("2024-02-30", types.DATE),
        ("12:30:15", types.TIMESTAMP),
        ("24:00", types.TIME),
    ],
)
def test_text_that_is_no_such_value_raises(text: str, target: SqlType) -> None:
    with pytest.raises(EvaluationError):
        cast(text, S, target)


def test_a_cast_that_does_not_exist_is_refused() -> None:
    with pytest.raises(StatementError, match="Cast of BOOLEAN to INTEGER is not supported"):
        cast_function(B, N)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_doubles_text_is_read_back_as_the_same_double(value: float) -> None:
    assert float(double_text(value)) == value
    assert cast(double_text(value), S, D) == value
