"""Arithmetic wraps, truncates and stays exact as ksqlDB's does."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.ksql.expressions.arithmetic import (
    decimal_operation,
    divide_double,
    divide_truncating,
    remainder_double,
    remainder_truncating,
    rescale,
    wrap32,
    wrap64,
)
from embedded.ksql.expressions.arithmetic_types import result_type
from embedded.ksql.types import decimal

INTS = st.integers(-(2**31), 2**31 - 1)
LONGS = st.integers(-(2**63), 2**63 - 1)


@given(st.integers(-(2**70), 2**70))
def test_wrapping_is_twos_complement(value: int) -> None:
    assert wrap32(value) == ctypes.c_int32(value).value
    assert wrap64(value) == ctypes.c_int64(value).value


@given(LONGS, LONGS.filter(bool))
def test_division_truncates_and_the_remainder_has_the_sign_of_the_dividend(left: int, right: int) -> None:
    quotient, remainder = divide_truncating(left, right), remainder_truncating(left, right)
    assert quotient == math.trunc(Fraction(left, right))
    assert quotient * right + remainder == left


@given(st.floats(), st.floats())
def test_double_division_never_raises(left: float, right: float) -> None:
    quotient = divide_double(left, right)
    if right == 0 and left != 0.0 and not math.isnan(left):
        assert math.isinf(quotient)
    remainder = remainder_double(left, right)
    assert math.isnan(remainder) or abs(remainder) <= abs(left)


@st.composite
def decimals(draw: st.DrawFn) -> tuple[Decimal, int, int]:
    scale = draw(st.integers(0, 6))
    precision = draw(st.integers(max(scale, 1), 12))
    unscaled = draw(st.integers(-(10**precision) + 1, 10**precision - 1))
    return Decimal(unscaled).scaleb(-scale), precision, scale


@given(decimals(), decimals(), st.sampled_from("+-*"))
def test_decimal_results_are_exact_and_always_fit_their_type(
    left: tuple[Decimal, int, int], right: tuple[Decimal, int, int], operator: str
) -> None:
    kind = result_type(operator, decimal(*left[1:]), decimal(*right[1:]))
    assert kind is not None
    result = decimal_operation(operator, kind.precision, kind.scale)(left[0], right[0])
    one, two = Fraction(left[0]), Fraction(right[0])
    assert Fraction(result) == {"+": one + two, "-": one - two, "*": one * two}[operator]
    assert result.as_tuple().exponent == -kind.scale
    assert str(result) != "-0"


@given(decimals(), decimals().filter(lambda given: bool(given[0])))
def test_decimal_division_gives_the_exact_quotient_or_raises(
    left: tuple[Decimal, int, int], right: tuple[Decimal, int, int]
) -> None:
    kind = result_type("/", decimal(*left[1:]), decimal(*right[1:]))
    assert kind is not None
    quotient = Fraction(left[0]) / Fraction(right[0])
    divide = decimal_operation("/", kind.precision, kind.scale)
    exact = (quotient * 10**kind.scale).denominator == 1
    if exact and abs(quotient) < 10 ** (kind.precision - kind.scale):
        assert Fraction(divide(left[0], right[0])) == quotient
    else:
        with pytest.raises(ArithmeticError):
            divide(left[0], right[0])


def test_rescaling_that_loses_digits_raises() -> None:
    assert str(rescale(Decimal("1.5"), 3)) == "1.500"
    with pytest.raises(ArithmeticError):
        rescale(Decimal("1.55"), 1)


@given(left=INTS, right=INTS)
def test_int_expressions_wrap(evaluate: Callable[..., Any], left: int, right: int) -> None:
    assert evaluate("i + j", I=left, J=right) == ctypes.c_int32(left + right).value
    assert evaluate("i - j", I=left, J=right) == ctypes.c_int32(left - right).value
    assert evaluate("i * j", I=left, J=right) == ctypes.c_int32(left * right).value
    assert evaluate("-i", I=left) == ctypes.c_int32(-left).value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i / 0", None),
        ("i % 0", None),
        ("i_null + 1", None),
        ("m / 4", Decimal("2.6250000000000")),
        ("m / n", Decimal("3.50000000")),
        ("m / 0.7", Decimal("15.000000")),
        ("i / 3.0", None),
        ("m % n", Decimal("1.500")),
        ("m * i", Decimal("73.50")),
        ("m + d", 13.0),
        ("d / 0", math.inf),
        ("m_null * 2", None),
        ("s + '!'", "abc!"),
        ("s_null + 'x'", "nullx"),
        ("-m", Decimal("-10.50")),
        ("l + i", 7_000_000_007),
    ],
)
def test_results_of_operators(evaluate: Callable[..., Any], text: str, expected: object) -> None:
    result = evaluate(text)
    assert result == expected
    assert str(result) == str(expected)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("i + l", "BIGINT"),
        ("m + n", "DECIMAL(10, 3)"),
        ("m * n", "DECIMAL(14, 5)"),
        ("m / n", "DECIMAL(17, 8)"),
        ("m % n", "DECIMAL(5, 3)"),
        ("m + i", "DECIMAL(13, 2)"),
        ("m + d", "DOUBLE"),
        ("0.5 * i", "DECIMAL(13, 1)"),
        ("10 / 4.0", "DECIMAL(17, 6)"),
        ("5000000000", "BIGINT"),
        ("0.05", "DECIMAL(3, 2)"),
    ],
)
def test_types_of_operators(typed: Callable[[str], str], text: str, kind: str) -> None:
    assert typed(text) == kind
