"""Java's arithmetic of fixed-width integers, and ksqlDB's of decimals."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache

from embedded.ksql.functions.interface import EvaluationError

EXACT = Context(prec=400, rounding=ROUND_HALF_UP)
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1


def wrap_int(value: int) -> int:
    """Return the value as a 32-bit integer, wrapping around."""
    return ((value + 0x80000000) & 0xFFFFFFFF) - 0x80000000


def wrap_long(value: int) -> int:
    """Return the value as a 64-bit integer, wrapping around."""
    return ((value + 0x8000000000000000) & 0xFFFFFFFFFFFFFFFF) - 0x8000000000000000


def saturate(value: float, low: int, high: int) -> int:
    """Return Java's narrowing of a double: towards zero, clamped; NaN is 0."""
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return high if value > 0 else low
    return max(low, min(high, int(value)))


@lru_cache(maxsize=256)
def quantum(scale: int) -> Decimal:
    """Return 1 with the given number of fractional digits."""
    return Decimal(1).scaleb(-scale, EXACT)


@lru_cache(maxsize=256)
def bound(precision: int, scale: int) -> Decimal:
    """Return the smallest magnitude that DECIMAL(precision, scale) cannot hold."""
    return Decimal(1).scaleb(precision - scale, EXACT)


def rescale(value: Decimal, scale: int) -> Decimal:
    """Return the value with ``scale`` fractional digits, halves rounded away from zero."""
    return EXACT.quantize(value, quantum(scale))


def fit(value: Decimal, precision: int, scale: int) -> Decimal:
    """Round to DECIMAL(precision, scale). Raises EvaluationError where it does not fit."""
    try:
        rounded = EXACT.quantize(value, quantum(scale))
    except InvalidOperation as error:
        raise EvaluationError(f"Numeric field overflow: {value} is no DECIMAL({precision}, {scale})") from error
    if abs(rounded) >= bound(precision, scale):
        raise EvaluationError(f"Numeric field overflow: {value} is no DECIMAL({precision}, {scale})")
    return rounded


def fit_exactly(value: Decimal, precision: int, scale: int) -> Decimal:
    """Return the value as DECIMAL(precision, scale) without rounding. Raises EvaluationError otherwise."""
    rounded = fit(value, precision, scale)
    if rounded != value:
        raise EvaluationError(f"Cannot fit decimal '{value}' into DECIMAL({precision}, {scale}) without rounding")
    return rounded
