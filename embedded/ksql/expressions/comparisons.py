"""Generated code for comparisons: false where an operand is null, numbers by value, text by code unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from embedded.ksql.expressions.arithmetic import decimal_of_double
from embedded.ksql.expressions.code import Code, Unit
from embedded.ksql.expressions.comparability import EQUALITY
from embedded.ksql.functions.casts import cast_function
from embedded.ksql.functions.java_order import bytes_order, order, text_order
from embedded.ksql.types import BOOLEAN, DATE, STRING, TIMESTAMP, Base, SqlType

_TIMES = {Base.TIMESTAMP, Base.DATE, Base.TIME}
_ORDERED = ({Base.STRING}, {Base.BYTES})
_WHOLE = {Base.INTEGER, Base.BIGINT}
_PYTHON = {"=": "==", "<>": "!=", "IS DISTINCT FROM": "!=", "IS NOT DISTINCT FROM": "=="}


def comparison(unit: Unit, operator: str, left: Code, right: Code) -> Code:
    """Return code for ``left operator right``; it never gives null."""
    first, first_again = unit.twice(left)
    second, second_again = unit.twice(right)
    test = _test(unit, operator, left._replace(text=first_again), right._replace(text=second_again))
    safe = left.safe and right.safe and left.type == right.type
    if operator.startswith("IS"):
        operands = (left, first, first_again), (right, second, second_again)
        return _distinct(operator, operands, test)._replace(safe=safe)
    if _needs_no_checks(operator, left, right):
        direct = _test(unit, operator, left._replace(text=first), right._replace(text=second))
        return Code(f"({direct})", BOOLEAN, nullable=False, safe=safe)
    checks = []
    for code, text in ((left, first), (right, second)):
        if code.nullable:
            checks.append(f"{text} is not None")
        elif not code.atomic:
            checks.append(f"({text}, True)[1]")
    return Code(f"({' and '.join([*checks, test])})", BOOLEAN, nullable=False, safe=safe)


def _needs_no_checks(operator: str, left: Code, right: Code) -> bool:
    """Whether Python's own operator is false for nulls: never null, or equality with what is never null."""
    if not left.nullable and not right.nullable:
        return True
    if operator != "=" or (left.nullable and right.nullable) or left.type is None or right.type is None:
        return False
    return left.type.base is right.type.base or {left.type.base, right.type.base} <= _WHOLE


def _distinct(operator: str, operands: tuple[tuple[Code, str, str], ...], test: str) -> Code:
    """Return code for IS [NOT] DISTINCT FROM, where two nulls are the same.

    ``operands`` are both sides, each with the texts for its first and for any later use.
    """
    one_null = " | ".join(_is_none(code, first) for code, first, _ in operands)
    differ = " ^ ".join(_is_none(code, again) for code, _, again in operands)
    outcome = differ if operator == "IS DISTINCT FROM" else f"not ({differ})"
    return Code(f"(({outcome}) if {one_null} else ({test}))", BOOLEAN, nullable=False)


def _is_none(code: Code, text: str) -> str:
    return repr(code.constant is None) if code.is_constant else f"({text} is None)"


def _test(unit: Unit, operator: str, left: Code, right: Code) -> str:
    """Return the comparison of two values that are not null."""
    symbol = _PYTHON.get(operator, operator)
    one, two = _common(unit, left, right), _common(unit, right, left)
    kinds = {kind.base for kind in (left.type, right.type) if kind is not None}
    if kinds in _ORDERED and operator not in EQUALITY:
        one, two = _ordered(unit, left), _ordered(unit, right)
    elif Base.DOUBLE in kinds and Base.DECIMAL not in kinds and symbol == "!=":
        return f"({one} < {two} or {one} > {two})"  # false for not-a-number, as in ksqlDB
    return f"{one} {symbol} {two}"


def _ordered(unit: Unit, code: Code) -> str:
    if code.is_constant:
        return unit.bind(order(code.constant))
    key = bytes_order if code.type is not None and code.type.base is Base.BYTES else text_order
    return f"{unit.bind_named(key.__name__, key)}({code.text})"


def _common(unit: Unit, code: Code, other: Code) -> str:
    """Return the operand's value as what both sides are compared as."""
    if code.type is None or other.type is None:
        return code.text
    mine, theirs = code.type.base, other.type.base
    if mine is Base.STRING and theirs in _TIMES:
        return _converted(unit, code, STRING, other.type)
    if mine is Base.DATE and theirs is Base.TIMESTAMP:
        return _converted(unit, code, DATE, TIMESTAMP)
    if mine is Base.DOUBLE and theirs is Base.DECIMAL:
        return f"{unit.bind_named('decimal_of_double', decimal_of_double)}({code.text})"
    if mine is Base.BIGINT and theirs is Base.DOUBLE:
        return f"float({code.text})"
    return code.text


def _converted(unit: Unit, code: Code, source: SqlType, target: SqlType) -> str:
    """Return the converted value; a constant that cannot be converted raises where it is needed, not before."""
    convert = cast_function(source, target)
    if code.is_constant:
        folded = fold(unit, convert, code.constant, target)
        if folded is not None:
            return folded.text
    return f"{unit.bind(convert)}({code.text})"


def fold(unit: Unit, convert: Callable[[Any], Any], value: Any, kind: SqlType) -> Code | None:
    """Return the converted constant, or None if the conversion fails (it must then fail at run time)."""
    try:
        return unit.constant(convert(value), kind)
    except Exception:  # noqa: BLE001  # whatever fails now must fail row by row
        return None
