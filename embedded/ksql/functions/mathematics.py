"""Mathematical functions."""

from __future__ import annotations

import math
import random as randomness
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal
from functools import partial
from typing import Any

from embedded.ksql import types
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.numbers import EXACT, LONG_MAX, LONG_MIN, quantum, saturate, wrap_int, wrap_long
from embedded.ksql.functions.registry import scalar
from embedded.ksql.types import SqlType

maths = partial(scalar, category="MATHEMATICAL")


def _same_type(kind: SqlType, *_: SqlType) -> SqlType:
    return kind


def _whole(kind: SqlType, *_: SqlType) -> SqlType:
    return types.decimal(kind.precision - kind.scale, 0)


def _quantized(value: Decimal, places: int, rounding: str) -> Decimal:
    """Round to so many places (may be negative), keeping the value's scale."""
    exponent = Decimal(1).scaleb(-places, EXACT)
    return value.quantize(exponent, rounding, EXACT).quantize(value, rounding, EXACT)


@maths("Abs", "INT val -> INT", "Returns the absolute value of its argument.")
def abs_int(value: int) -> int:
    """Return the absolute value, wrapping."""
    return wrap_int(abs(value))


@maths("Abs", "BIGINT val -> BIGINT", "Returns the absolute value of its argument.")
def abs_long(value: int) -> int:
    """Return the absolute value, wrapping."""
    return wrap_long(abs(value))


@maths("Abs", "DOUBLE val -> DOUBLE", "Returns the absolute value of its argument.")
@maths("Abs", "DECIMAL val -> DECIMAL", "Returns the absolute value of its argument.", returns=_same_type)
def absolute(value: Any) -> Any:
    """Return the absolute value."""
    return value.copy_abs() if isinstance(value, Decimal) else abs(value)


def _unchanged(value: int) -> int:
    return value


def _double_rounding(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(function(value)) if math.isfinite(value) else value


for _name, _function, _rounding, _about in (
    ("Ceil", math.ceil, ROUND_CEILING, "Returns the smallest whole number that is not less than the argument."),
    ("Floor", math.floor, ROUND_FLOOR, "Returns the largest whole number that is not greater than the argument."),
):
    maths(_name, "INT val -> INT", _about)(_unchanged)
    maths(_name, "BIGINT val -> BIGINT", _about)(_unchanged)
    maths(_name, "DOUBLE val -> DOUBLE", _about)(_double_rounding(_function))
    maths(_name, "DECIMAL val -> DECIMAL", _about, returns=_same_type)(
        partial(_quantized, places=0, rounding=_rounding)
    )


def _exact(value: float) -> Decimal:
    if not math.isfinite(value):
        raise EvaluationError(f"{value} has no decimal places")
    return Decimal(repr(value))


def _half_up(value: Decimal) -> str:
    """Return the rounding that moves halves towards positive infinity."""
    return ROUND_HALF_DOWN if value.is_signed() else ROUND_HALF_UP


_ROUND = "Rounds to a number of decimal places, halves towards positive infinity."


@maths("Round", "BIGINT val -> BIGINT", _ROUND)
@maths("Round", "INT val -> BIGINT", _ROUND)
def round_whole(value: int) -> int:
    """Return the value."""
    return value


@maths("Round", "DOUBLE val -> BIGINT", _ROUND)
def round_double(value: float) -> int:
    """Return the nearest whole number."""
    return saturate(math.floor(value + 0.5) if abs(value) < 2**52 else value, LONG_MIN, LONG_MAX)


@maths("Round", "DOUBLE val, INT decimalPlaces -> DOUBLE", _ROUND)
def round_double_places(value: float, places: int) -> float:
    """Return the double nearest to the rounded decimal text. Raises EvaluationError for what is no number."""
    exact = _exact(value)
    return float(exact.quantize(Decimal(1).scaleb(-places, EXACT), _half_up(exact), EXACT))


@maths("Round", "DECIMAL val -> DECIMAL", _ROUND, returns=_whole)
def round_decimal(value: Decimal) -> Decimal:
    """Return the nearest whole number."""
    return value.quantize(quantum(0), _half_up(value), EXACT)


@maths("Round", "DECIMAL val, INT decimalPlaces -> DECIMAL", _ROUND, returns=_same_type)
def round_decimal_places(value: Decimal, places: int) -> Decimal:
    """Return the value rounded, with the same scale as before."""
    return _quantized(value, places, _half_up(value))


_TRUNC = "Truncates to a number of decimal places."


@maths("Trunc", "BIGINT val -> BIGINT", _TRUNC)
@maths("Trunc", "INT val -> BIGINT", _TRUNC)
def trunc_whole(value: int) -> int:
    """Return the value."""
    return value


@maths("Trunc", "DOUBLE val -> BIGINT", _TRUNC)
def trunc_double(value: float) -> int:
    """Return the whole part."""
    return saturate(value, LONG_MIN, LONG_MAX)


@maths("Trunc", "DOUBLE val, INT decimalPlaces -> DOUBLE", _TRUNC)
def trunc_double_places(value: float, places: int) -> float:
    """Return the value cut off after so many places. Raises EvaluationError for what is no number."""
    return float(_exact(value).quantize(Decimal(1).scaleb(-places, EXACT), ROUND_DOWN, EXACT))


@maths("Trunc", "DECIMAL val -> DECIMAL", _TRUNC, returns=_whole)
def trunc_decimal(value: Decimal) -> Decimal:
    """Return the whole part."""
    return value.quantize(quantum(0), ROUND_DOWN, EXACT)


@maths("Trunc", "DECIMAL val, INT decimalPlaces -> DECIMAL", _TRUNC, returns=_same_type)
def trunc_decimal_places(value: Decimal, places: int) -> Decimal:
    """Return the value cut off, with the same scale as before."""
    return _quantized(value, places, ROUND_DOWN)


@maths("sign", "INT value -> INT", "Returns the sign of the argument.")
@maths("sign", "BIGINT value -> INT", "Returns the sign of the argument.")
@maths("sign", "DOUBLE value -> INT", "Returns the sign of the argument.")
def sign(value: float) -> int:
    """Return -1, 0 or 1."""
    return (value > 0) - (value < 0)


def _java(function: Callable[[float], float], overflow: float = math.inf) -> Callable[[float], float]:
    """Return the function with Java's answers outside its domain: NaN, or infinity."""

    def call(value: float) -> float:
        try:
            return function(float(value))
        except ValueError:
            return math.nan
        except OverflowError:
            return overflow

    return call


def _ln(value: float) -> float:
    return -math.inf if value == 0 else math.log(value)


def _cot(value: float) -> float:
    tangent = math.tan(value)
    return math.copysign(math.inf, tangent) if tangent == 0 else 1 / tangent


def _cbrt(value: float) -> float:
    return math.cbrt(value)


def _sinh(value: float) -> float:
    try:
        return math.sinh(value)
    except OverflowError:
        return math.copysign(math.inf, value)


for _name, _real, _about in (
    ("sqrt", math.sqrt, "Returns the square root of a value."),
    ("ln", _ln, "Returns the natural logarithm of a value."),
    ("exp", math.exp, "Returns Euler's number e raised to the power of a value."),
    ("cbrt", _cbrt, "Returns the cube root of a value."),
    ("sin", math.sin, "Returns the sine of an angle in radians."),
    ("cos", math.cos, "Returns the cosine of an angle in radians."),
    ("tan", math.tan, "Returns the tangent of an angle in radians."),
    ("cot", _cot, "Returns the cotangent of an angle in radians."),
    ("asin", math.asin, "Returns the arc sine of a value."),
    ("acos", math.acos, "Returns the arc cosine of a value."),
    ("atan", math.atan, "Returns the arc tangent of a value."),
    ("sinh", _sinh, "Returns the hyperbolic sine of a value."),
    ("cosh", math.cosh, "Returns the hyperbolic cosine of a value."),
    ("tanh", math.tanh, "Returns the hyperbolic tangent of a value."),
    ("radians", math.radians, "Converts degrees to radians."),
    ("degrees", math.degrees, "Converts radians to degrees."),
):
    for _type in ("INT", "BIGINT", "DOUBLE"):
        maths(_name, f"{_type} value -> DOUBLE", _about)(_java(_real))


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except ValueError:
        odd = exponent % 2 == 1 and base == 0
        return (math.copysign(math.inf, base) if odd else math.inf) if base == 0 else math.nan
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf


def _log_base(base: float, value: float) -> float:
    if base <= 0 or base == 1:
        return math.nan
    numerator, denominator = _java(_ln)(value), math.log(base)
    return numerator / denominator


for _type in ("INT", "BIGINT", "DOUBLE"):
    maths("power", f"{_type} base, {_type} exponent -> DOUBLE", "Returns a base raised to a power.")(_power)
    maths("log", f"{_type} value -> DOUBLE", "Returns the natural logarithm of a value.")(_java(_ln))
    maths("log", f"{_type} base, {_type} value -> DOUBLE", "Returns the logarithm of a value to a base.")(_log_base)
    maths("atan2", f"{_type} y, {_type} x -> DOUBLE", "Returns the angle of a point.")(math.atan2)


@maths("pi", " -> DOUBLE", "Returns the value of pi.")
def pi() -> float:
    """Return pi."""
    return math.pi


@maths("random", " -> DOUBLE", "Returns a random number between 0.0 and 1.0.")
def random() -> float:
    """Return a random number."""
    return randomness.random()


_POLE, _DATE_LINE = 90, 180
_EARTH_RADII = {
    **dict.fromkeys(("mi", "mile", "miles"), 3959.0),
    **dict.fromkeys(("km", "kilometer", "kilometers", "kilometre", "kilometres"), 6371.0),
}


@scalar(
    "geo_distance",
    "DOUBLE lat1, DOUBLE lon1, DOUBLE lat2, DOUBLE lon2 -> DOUBLE",
    "Computes the distance between two points on the surface of the earth.",
    category="OTHER",
)
@scalar(
    "geo_distance",
    "DOUBLE lat1, DOUBLE lon1, DOUBLE lat2, DOUBLE lon2, VARCHAR units -> DOUBLE",
    "Computes the distance between two points on the surface of the earth.",
    category="OTHER",
    strict=False,
)
def geo_distance(
    lat1: float | None, lon1: float | None, lat2: float | None, lon2: float | None, units: str | None = "km"
) -> float | None:
    """Return the great-circle distance (haversine) in miles, or by default in kilometres."""
    if lat1 is None or lon1 is None or lat2 is None or lon2 is None:
        return None
    if any(abs(lat) > _POLE for lat in (lat1, lat2)) or any(abs(lon) > _DATE_LINE for lon in (lon1, lon2)):
        raise EvaluationError("latitudes are from -90 to 90 degrees, longitudes from -180 to 180")
    radius = _EARTH_RADII.get((units or "km").strip().lower() or "km")
    if radius is None:
        raise EvaluationError(f"GeoDistance function units parameter must be one of {', '.join(_EARTH_RADII)}")
    north, east = math.radians(lat2 - lat1), math.radians(lon2 - lon1)
    chord = math.sin(north / 2) ** 2
    chord += math.sin(east / 2) ** 2 * math.cos(math.radians(lat1)) * math.cos(math.radians(lat2))
    return radius * 2 * math.asin(math.sqrt(chord))
