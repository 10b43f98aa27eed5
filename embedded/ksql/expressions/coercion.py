"""Bringing the expressions of a list (IN, ARRAY, MAP) to one type, as ksqlDB does.

Literals bend further than other expressions: any of them becomes text, and text becomes a number or a BOOLEAN. The
elements of a constructed ARRAY, MAP or STRUCT are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from embedded.ksql.errors import StatementError
from embedded.ksql.expressions.arithmetic_types import is_numeric, widest
from embedded.ksql.functions.shapes import element_of, key_of
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.types import BIGINT, BOOLEAN, INTEGER, STRING, Base, SqlType, array, decimal, mapping, struct

Typer = Callable[[ast.Expression], SqlType | None]
_TRUE_WORDS = ("true", "yes")
_FALSE_WORDS = ("false", "no")
_LITERALS = (
    ast.BooleanLiteral,
    ast.IntegerLiteral,
    ast.LongLiteral,
    ast.DoubleLiteral,
    ast.DecimalLiteral,
    ast.StringLiteral,
)


class _DifferentTypesError(Exception):
    """Two types without a common one."""


def coerce_list(
    expressions: Sequence[ast.Expression], typer: Typer, error: type[StatementError]
) -> tuple[SqlType | None, tuple[ast.Expression, ...]]:
    """Return the common type (None if all are NULL) and the expressions, brought to it where they differ."""
    common: SqlType | None = None
    for expression in expressions:
        known = common
        try:
            common = _united(common, expression, typer)
        except _DifferentTypesError:
            text = format_expression(expression)
            raise error(
                f"operator does not exist: {known} = {typer(expression)} ({text})\n"
                "Hint: You might need to add explicit type casts."
            ) from None
    if common is None:
        is_text = any(isinstance(expression, ast.StringLiteral) for expression in expressions)
        return (STRING if is_text else None), tuple(expressions)
    common = _widened_for_text(common, expressions)
    return common, tuple(_converted(expression, common, typer, error) for expression in expressions)


def _united(common: SqlType | None, expression: ast.Expression, typer: Typer) -> SqlType | None:
    """Return the type of both; a text literal has a say only where nothing but text is met."""
    if isinstance(expression, ast.StringLiteral) or (common == STRING and isinstance(expression, _LITERALS)):
        return common
    match expression, common:
        case ast.ArrayConstructor(items), None | SqlType(base=Base.ARRAY) if items:
            element = _united_all(None if common is None else element_of(common), items, typer)
            return common if element is None else array(element)
        case ast.MapConstructor(entries), None | SqlType(base=Base.MAP) if entries:
            names, values = zip(*entries, strict=True)
            key = _united_all(None if common is None else key_of(common), names, typer)
            element = _united_all(None if common is None else element_of(common), values, typer)
            return common if key is None or element is None else mapping(key, element)
        case ast.StructConstructor(fields), None | SqlType(base=Base.STRUCT):
            merged: dict[str, SqlType | None] = {} if common is None else dict(common.fields)
            for name, value in fields:
                merged[name] = _united_all(merged.get(name), [value], typer)
            return struct(*((name, kind) for name, kind in merged.items() if kind is not None))
    return _common(common, typer(expression))


def _united_all(common: SqlType | None, items: Iterable[ast.Expression], typer: Typer) -> SqlType | None:
    listed = tuple(items)
    for item in listed:
        common = _united(common, item, typer)
    if common is None:
        return STRING if any(isinstance(item, ast.StringLiteral) for item in listed) else None
    return _widened_for_text(common, listed)


def _common(one: SqlType | None, other: SqlType | None) -> SqlType | None:
    if one is None or other is None or one == other:
        return one or other
    if is_numeric(one) and is_numeric(other):
        return widest(one, other)
    if one.base is not other.base:
        raise _DifferentTypesError
    match one.base:
        case Base.ARRAY:
            return array(_both(element_of(one), element_of(other)))
        case Base.MAP:
            return mapping(_both(key_of(one), key_of(other)), _both(element_of(one), element_of(other)))
        case Base.STRUCT:
            merged = dict(one.fields)
            for name, kind in other.fields:
                merged[name] = _both(merged[name], kind) if name in merged else kind
            return struct(*merged.items())
    raise _DifferentTypesError


def _both(one: SqlType, other: SqlType) -> SqlType:
    return _common(one, other) or one


def _widened_for_text(common: SqlType, expressions: Iterable[ast.Expression]) -> SqlType:
    """Widen a numeric type for text literals such as '1.5'; what is no number is found later."""
    if not is_numeric(common):
        return common
    for expression in expressions:
        number = _number(expression.value) if isinstance(expression, ast.StringLiteral) else None
        if number is not None and isinstance(expression, ast.StringLiteral):
            common = widest(common, _type_of_number(expression.value.strip(), number))
    return common


def _type_of_number(text: str, number: Decimal) -> SqlType:
    if text.lstrip("+-").isdecimal():
        return INTEGER if -(2**31) <= number < 2**31 else BIGINT
    _, digits, exponent = number.as_tuple()
    scale = max(-int(exponent), 0)
    return decimal(max(len(digits) + max(int(exponent), 0), scale), scale)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _converted(
    expression: ast.Expression, common: SqlType, typer: Typer, error: type[StatementError]
) -> ast.Expression:
    def part(item: ast.Expression, kind: SqlType) -> ast.Expression:
        return _converted(item, kind, typer, error)

    match expression:
        case ast.StringLiteral(text) if common != STRING:
            return _text_literal(expression, text, common, error)
        case ast.ArrayConstructor(items) if common.base is Base.ARRAY:
            return replace(expression, items=tuple(part(item, element_of(common)) for item in items))
        case ast.MapConstructor(entries) if common.base is Base.MAP:
            pairs = tuple((part(key, key_of(common)), part(value, element_of(common))) for key, value in entries)
            return replace(expression, entries=pairs)
        case ast.StructConstructor(fields) if common.base is Base.STRUCT:
            given: dict[str, Any] = dict(fields)
            null = ast.NullLiteral()
            filled = tuple((name, part(given.get(name, null), kind)) for name, kind in common.fields)
            return replace(expression, fields=filled)
        case ast.NullLiteral():
            return ast.Cast(expression, common)
    kind = typer(expression)
    return expression if kind is None or kind == common else ast.Cast(expression, common)


def _text_literal(
    literal: ast.Expression, written: str, common: SqlType, error: type[StatementError]
) -> ast.Expression:
    text = written.strip().lower()
    is_word = text != "" and any(word.startswith(text) for word in (*_TRUE_WORDS, *_FALSE_WORDS))
    wrong_number = is_numeric(common) and _number(written) is None
    if wrong_number or (common == BOOLEAN and not is_word):
        raise error(f'invalid input syntax for type {common.base.value}: "{written}".')
    if common == BOOLEAN:
        return ast.BooleanLiteral(any(word.startswith(text) for word in _TRUE_WORDS))
    return ast.Cast(literal, common)
