"""The types of ksqlDB's expressions, where a look at the text is enough to tell; None for the others.

The rules are those of ksqlDB 7.4: SUM keeps the type, AVG is DOUBLE, CASE takes the type of its branches.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

_KEEPS = frozenset(
    {"EARLIEST_BY_OFFSET", "LATEST_BY_OFFSET", "AS_VALUE", "IFNULL", "ABS", "MIN", "MAX", "SUM", "LEAST", "GREATEST"}
)
_CAST = {"VARCHAR": "STRING", "TEXT": "STRING", "INT": "INTEGER"}
_NUMERIC = ("INTEGER", "BIGINT", "DOUBLE")

Types = Mapping[str, str | None]


def type_of(expression: exp.Expr, columns: Types) -> str | None:  # noqa: PLR0911 - one line a kind reads best
    """Return ksqlDB's name of an expression's type; ``columns`` holds those of the source, by upper-case name."""
    match expression:
        case exp.Alias() | exp.Paren() | exp.Neg():
            return type_of(expression.this, columns)
        case exp.Column():
            name = expression.name if expression.this.quoted else expression.name.upper()
            return columns.get(name)
        case exp.Cast():
            return _cast(expression.to)
        case exp.Literal():
            return _literal(expression)
        case exp.Count():
            return "BIGINT"
        case exp.Avg():
            return "DOUBLE"
        case exp.Case():
            branches = [part.args["true"] for part in expression.args["ifs"]]
            return _first((*branches, expression.args.get("default")), columns)
        case exp.Add() | exp.Sub() | exp.Mul() | exp.Div():
            return _arithmetic(type_of(expression.this, columns), type_of(expression.expression, columns))
        case exp.Func():
            return _function(expression, columns)
    return None


def _function(call: exp.Func, columns: Types) -> str | None:
    name = call.name.upper() if isinstance(call, exp.Anonymous) else call.sql_name()
    if name not in _KEEPS and not isinstance(call, exp.Coalesce):
        return None
    arguments = call.expressions if isinstance(call, exp.Anonymous) else [call.this, *call.expressions]
    return _first(arguments, columns)


def _first(expressions: object, columns: Types) -> str | None:
    found = (type_of(one, columns) for one in expressions if isinstance(one, exp.Expr))  # type: ignore[attr-defined]
    return next((kind for kind in found if kind), None)


def _cast(to: exp.Expr) -> str:
    if to.this is exp.DataType.Type.DECIMAL:
        return f"DECIMAL({', '.join(part.name for part in to.expressions)})"
    name = str(to.this.value)
    return _CAST.get(name, name)


def _literal(literal: exp.Literal) -> str | None:
    if literal.is_string:
        return "STRING"
    if "e" in literal.name.lower():
        return "DOUBLE"
    return None if "." in literal.name else "INTEGER"


def _arithmetic(left: str | None, right: str | None) -> str | None:
    if "DOUBLE" in {left, right}:
        return "DOUBLE"
    if left in _NUMERIC and right in _NUMERIC:
        return max(left, right, key=_NUMERIC.index)
    return None
