"""Lets ROWTIME, WINDOWSTART and WINDOWEND be compared with a time written as text, as ksqlDB does in WHERE."""

from __future__ import annotations

from dataclasses import replace

from embedded.ksql.errors import StatementError
from embedded.ksql.functions.casts import cast_function
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.language import ast
from embedded.ksql.planning.substitution import substitute
from embedded.ksql.types import STRING, TIMESTAMP

_TIMES = {"ROWTIME", "WINDOWSTART", "WINDOWEND"}


def with_parsed_times(predicate: ast.Expression) -> ast.Expression:
    """Return the predicate with such text turned into milliseconds. Raises StatementError for text that is no time."""
    return substitute(predicate, _parsed)


def _parsed(part: ast.Expression) -> ast.Expression | None:
    match part:
        case ast.Comparison(_, left, right) if _is_time(left) and isinstance(right, ast.StringLiteral):
            return replace(part, right=_milliseconds(right))
        case ast.Comparison(_, left, right) if _is_time(right) and isinstance(left, ast.StringLiteral):
            return replace(part, left=_milliseconds(left))
        case ast.Between(operand, low, high) if _is_time(operand):
            return replace(part, low=_milliseconds(low), high=_milliseconds(high))
        case _:
            return None


def _is_time(expression: ast.Expression) -> bool:
    return isinstance(expression, ast.ColumnReference) and expression.name in _TIMES


def _milliseconds(expression: ast.Expression) -> ast.Expression:
    if not isinstance(expression, ast.StringLiteral):
        return expression
    try:
        return ast.LongLiteral(cast_function(STRING, TIMESTAMP)(expression.value), location=expression.location)
    except EvaluationError as error:
        raise StatementError(str(error)) from None
