"""Arithmetic as Java does it: wrapping integers, truncating division, exact decimals. Null operands raise.

ksqlDB turns whatever raises within a column's expression into a null column and a line in the processing log, so
overflow of a decimal, an inexact decimal quotient and division by zero are exceptions here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Any

_TRAPS = [Inexact, InvalidOperation, DivisionByZero, Overflow]
_RESCALE = Context(prec=400, traps=_TRAPS)


def wrap32(value: int) -> int:
    """Return the value as a 32-bit two's complement number."""
    return ((value + 0x8000_0000) & 0xFFFF_FFFF) - 0x8000_0000


def wrap64(value: int) -> int:
    """Return the value as a 64-bit two's complement number."""
    return ((value + 0x8000_0000_0000_0000) & 0xFFFF_FFFF_FFFF_FFFF) - 0x8000_0000_0000_0000


def divide_truncating(left: int, right: int) -> int:
    """Return the quotient, rounded towards zero. Raises ZeroDivisionError."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def remainder_truncating(left: int, right: int) -> int:
    """Return the remainder, with the sign of the dividend. Raises ZeroDivisionError."""
    remainder = abs(left) % abs(right)
    return -remainder if left < 0 else remainder


def divide_double(left: float, right: float) -> float:
    """Return the IEEE 754 quotient: division by zero gives an infinity or not-a-number."""
    if right:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def remainder_double(left: float, right: float) -> float:
    """Return the IEEE 754 remainder with the sign of the dividend, not-a-number for a division by zero."""
    if not right or math.isinf(left):
        return math.nan + left * right
    return math.fmod(left, right)


def decimal_of_double(value: float) -> Decimal:
    """Return the shortest decimal that reads as the double. Raises ArithmeticError for what is not finite."""
    if not math.isfinite(value):
        raise ArithmeticError("Infinite or NaN")
    return Decimal(repr(value))


def rescale(value: Decimal, scale: int) -> Decimal:
    """Return the value with exactly ``scale`` fractional digits. Raises if digits were lost."""
    return _RESCALE.quantize(value, Decimal((0, (1,), -scale)))


def decimal_operation(operator: str, precision: int, scale: int) -> Callable[[Any, Any], Decimal]:
    """Return the operation whose exact result must fit the precision and scale; otherwise it raises."""
    context = Context(prec=precision, traps=_TRAPS)
    operation: Callable[[Any, Any], Decimal] = {
        "+": context.add,
        "-": context.subtract,
        "*": context.multiply,
        "/": context.divide,
        "%": context.remainder,
    }[operator]
    quantize = _RESCALE.quantize
    unit = Decimal((0, (1,), -scale))

    def operate(left: Any, right: Any) -> Decimal:
        result = quantize(operation(left, right), unit)
        return result or result.copy_abs()  # Java knows no negative zero

    return operate


def negate_decimal(value: Decimal) -> Decimal:
    """Return the negative, without a negative zero."""
    return _RESCALE.minus(value)
