"""The result types of arithmetic, with ksqlDB's rules for a decimal's precision and scale."""

from __future__ import annotations

from embedded.ksql.types import BIGINT, DOUBLE, INTEGER, STRING, Base, SqlType, decimal

NUMERIC_ORDER = {Base.INTEGER: 0, Base.BIGINT: 1, Base.DECIMAL: 2, Base.DOUBLE: 3}
_MINIMUM_DIVISION_SCALE = 6


def is_numeric(kind: SqlType) -> bool:
    """Whether arithmetic applies to values of the type."""
    return kind.base in NUMERIC_ORDER


def as_decimal(kind: SqlType) -> SqlType:
    """Return the DECIMAL that holds every value of INTEGER, BIGINT or DECIMAL."""
    if kind.base is Base.INTEGER:
        return decimal(10, 0)
    if kind.base is Base.BIGINT:
        return decimal(19, 0)
    return kind


def widest(left: SqlType, right: SqlType) -> SqlType:
    """Return the numeric type that holds the values of both."""
    base = max(left.base, right.base, key=NUMERIC_ORDER.__getitem__)
    if base is Base.DECIMAL:
        one, two = as_decimal(left), as_decimal(right)
        scale = max(one.scale, two.scale)
        return decimal(max(one.precision - one.scale, two.precision - two.scale) + scale, scale)
    return {Base.INTEGER: INTEGER, Base.BIGINT: BIGINT, Base.DOUBLE: DOUBLE}[base]


def result_type(operator: str, left: SqlType | None, right: SqlType | None) -> SqlType | None:
    """Return the type of ``left operator right``, or None where ksqlDB has no such operator."""
    if left is None or right is None:
        return None
    if left == STRING and right == STRING and operator == "+":
        return STRING
    if not (is_numeric(left) and is_numeric(right)):
        return None
    bases = {left.base, right.base}
    if Base.DECIMAL in bases and Base.DOUBLE not in bases:
        return _decimal_result(operator, as_decimal(left), as_decimal(right))
    return widest(left, right)


def _decimal_result(operator: str, left: SqlType, right: SqlType) -> SqlType:
    scale = max(left.scale, right.scale)
    whole_left, whole_right = left.precision - left.scale, right.precision - right.scale
    match operator:
        case "*":
            return decimal(left.precision + right.precision + 1, left.scale + right.scale)
        case "/":
            quotient = max(_MINIMUM_DIVISION_SCALE, left.scale + right.precision + 1)
            return decimal(whole_left + right.scale + quotient, quotient)
        case "%":
            return decimal(min(whole_left, whole_right) + scale, scale)
        case _:
            return decimal(scale + max(whole_left, whole_right) + 1, scale)
