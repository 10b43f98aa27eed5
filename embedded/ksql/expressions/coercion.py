"""Bringing the expressions of a list (IN, ARRAY, MAP) to one type, text literals included, as ksqlDB does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

from embedded.ksql.errors import StatementError
from embedded.ksql.expressions.arithmetic_types import is_numeric, widest
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.types import BOOLEAN, STRING, Base, SqlType, decimal

Typer = Callable[[ast.Expression], SqlType | None]
_TRUE_WORDS = ("true", "yes")
_FALSE_WORDS = ("false", "no")


def coerce_list(
    expressions: Sequence[ast.Expression], typer: Typer, error: type[StatementError]
) -> tuple[SqlType | None, tuple[ast.Expression, ...]]:
    """Return the common type (None if all are NULL) and the expressions, cast to it where they differ."""
    types = [typer(expression) for expression in expressions]
    common: SqlType | None = None
    for expression, kind in zip(expressions, types, strict=True):
        if kind is None or isinstance(expression, ast.StringLiteral):
            continue
        common = kind if common is None else _unite(common, kind, expression, error)
    if common is None:
        return (STRING if any(kind is not None for kind in types) else None), tuple(expressions)
    common = _widen_for_text(common, expressions)
    pairs = zip(expressions, types, strict=True)
    return common, tuple(_convert(expression, kind, common, error) for expression, kind in pairs)


def _unite(common: SqlType, kind: SqlType, expression: ast.Expression, error: type[StatementError]) -> SqlType:
    if common == kind:
        return common
    if is_numeric(common) and is_numeric(kind):
        return widest(common, kind)
    if common.base is kind.base and common.base is Base.ARRAY and common.element and kind.element:
        return SqlType(Base.ARRAY, element=_unite(common.element, kind.element, expression, error))
    raise error(
        f"operator does not exist: {common} = {kind} ({format_expression(expression)})\n"
        "Hint: You might need to add explicit type casts."
    )


def _widen_for_text(common: SqlType, expressions: Sequence[ast.Expression]) -> SqlType:
    """Widen a numeric type for text literals such as '1.5'; what is no number is found later."""
    if not is_numeric(common):
        return common
    for expression in expressions:
        if isinstance(expression, ast.StringLiteral):
            number = _number(expression.value)
            exponent = number.as_tuple().exponent if number is not None else 0
            if number is not None and isinstance(exponent, int) and exponent < 0:
                common = widest(common, decimal(max(len(number.as_tuple().digits), -exponent), -exponent))
    return common


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _convert(
    expression: ast.Expression, kind: SqlType | None, common: SqlType, error: type[StatementError]
) -> ast.Expression:
    if kind is None or kind == common:
        return expression
    if isinstance(expression, ast.StringLiteral):
        text = expression.value.strip().lower()
        is_word = any(word.startswith(text) for word in (*_TRUE_WORDS, *_FALSE_WORDS)) and text != ""
        wrong_number = is_numeric(common) and _number(expression.value) is None
        if wrong_number or (common == BOOLEAN and not is_word):
            raise error(f'invalid input syntax for type {common.base.value}: "{expression.value}".')
        if common == BOOLEAN:
            return ast.BooleanLiteral(any(word.startswith(text) for word in _TRUE_WORDS))
    return ast.Cast(expression, common)
