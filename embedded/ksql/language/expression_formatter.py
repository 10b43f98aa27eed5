"""Prints expressions, types and schemas the way ksqlDB does in its messages and statement texts."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from embedded.ksql.language import ast
from embedded.ksql.language.keywords import RESERVED
from embedded.ksql.types import Base, SqlType

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN_NAME = re.compile(r"[A-Z_][A-Z0-9_@]*\Z")


def format_name(name: str) -> str:
    """Return a name as it must be written: back-quoted unless it is plain upper case and not reserved."""
    if _PLAIN_NAME.match(name) and name not in RESERVED:
        return name
    return "`" + name.replace("`", "``") + "`"


def format_type(kind: SqlType) -> str:
    """Return a type as statements spell it; ``str(kind)`` is the spelling in schemas."""
    match kind.base:
        case Base.ARRAY if kind.element is not None:
            return f"ARRAY<{format_type(kind.element)}>"
        case Base.MAP if kind.key is not None and kind.element is not None:
            return f"MAP<{format_type(kind.key)}, {format_type(kind.element)}>"
        case Base.STRUCT if kind.fields:
            fields = (f"{format_name(name)} {format_type(inner)}" for name, inner in kind.fields)
            return f"STRUCT<{', '.join(fields)}>"
    return str(kind)


def format_expression(expression: ast.Expression) -> str:
    """Return an expression's canonical text, e.g. ``(EV.AMOUNT > 4)``."""
    return _literal(expression) or _operation(expression) or _compound(expression)


def format_string(text: str) -> str:
    """Return a string literal."""
    return "'" + text.replace("'", "''") + "'"


def format_double(value: float) -> str:
    """Return a double literal in scientific notation, e.g. ``5E-1``."""
    if value == 0:
        return "0E0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    fraction = f".{text[1:]}" if len(text) > 1 else ""
    return f"{'-' if sign else ''}{text[0]}{fraction}E{int(exponent) + len(text) - 1}"


def _literal(node: ast.Expression) -> str:  # noqa: PLR0911  # one line a kind of node reads best
    match node:
        case ast.NullLiteral():
            return "null"
        case ast.BooleanLiteral(value):
            return "true" if value else "false"
        case ast.IntegerLiteral(value) | ast.LongLiteral(value):
            return str(value)
        case ast.DoubleLiteral(value):
            return format_double(value)
        case ast.DecimalLiteral(value):
            return f"{value:f}"
        case ast.StringLiteral(value, bare):
            return value if bare else format_string(value)
        case ast.BytesLiteral(value):
            return f"X'{value.hex().upper()}'"
    return ""


def _operation(node: ast.Expression) -> str:  # noqa: PLR0911  # one line a kind of node reads best
    match node:
        case ast.Arithmetic(operator, left, right) | ast.Comparison(operator, left, right):
            return f"({format_expression(left)} {operator} {format_expression(right)})"
        case ast.Logical(operator, left, right):
            return f"({format_expression(left)} {operator} {format_expression(right)})"
        case ast.Not(operand):
            return f"(NOT {format_expression(operand)})"
        case ast.Negation(operator, operand):
            text = format_expression(operand)
            return f"{operator}{' ' if text.startswith(operator) else ''}{text}"
        case ast.IsNull(operand, negated):
            return f"({format_expression(operand)} IS {'NOT ' if negated else ''}NULL)"
        case ast.Between(operand, low, high):
            return f"({format_expression(operand)} BETWEEN {format_expression(low)} AND {format_expression(high)})"
        case ast.InList(operand, items):
            return f"({format_expression(operand)} IN ({_listed(items)}))"
        case ast.Like(operand, pattern, escape):
            ending = f" ESCAPE {format_string(escape)}" if escape is not None else ""
            return f"({format_expression(operand)} LIKE {format_expression(pattern)}{ending})"
    return ""


def _compound(node: ast.Expression) -> str:  # noqa: C901, PLR0911  # one line a kind of node reads best
    match node:
        case ast.ColumnReference(name, qualifier):
            return f"{format_name(qualifier)}.{format_name(name)}" if qualifier else format_name(name)
        case ast.LambdaVariable(name):
            return format_name(name)
        case ast.Lambda(parameters, body):
            names = ", ".join(map(format_name, parameters))
            return f"{names if len(parameters) == 1 else f'({names})'} => {format_expression(body)}"
        case ast.FunctionCall(name, arguments):
            inner = "*" if name == "COUNT" and not arguments else _listed(arguments)
            return f"{name}({inner})"
        case ast.Dereference(base, name):
            return f"{format_expression(base)}->{format_name(name)}"
        case ast.Subscript(base, index):
            return f"{format_expression(base)}[{format_expression(index)}]"
        case ast.Cast(operand, kind):
            return f"CAST({format_expression(operand)} AS {format_type(kind)})"
        case ast.ArrayConstructor(items):
            return f"ARRAY[{_listed(items)}]"
        case ast.MapConstructor(entries):
            pairs = (f"{format_expression(key)}:={format_expression(value)}" for key, value in entries)
            return f"MAP({', '.join(pairs)})"
        case ast.StructConstructor(fields):
            return f"STRUCT({', '.join(f'{format_name(name)}:={format_expression(value)}' for name, value in fields)})"
        case ast.SearchedCase(whens, default):
            return _case("", whens, default)
        case ast.SimpleCase(operand, whens, default):
            return _case(f" {format_expression(operand)}", whens, default)
    raise TypeError(f"not an expression: {node!r}")


def _case(operand: str, whens: tuple[ast.When, ...], default: ast.Expression | None) -> str:
    branches = "".join(
        f" WHEN {format_expression(when.condition)} THEN {format_expression(when.result)}" for when in whens
    )
    ending = f" ELSE {format_expression(default)}" if default is not None else ""
    return f"(CASE{operand}{branches}{ending} END)"


def _listed(items: Iterable[ast.Expression]) -> str:
    return ", ".join(map(format_expression, items))
