"""Builds expressions, types and names of the syntax tree from the parse tree."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any

from lark import Transformer, v_args

from embedded.ksql.errors import StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.building import (
    Children,
    Clause,
    Name,
    clause,
    has,
    identifier,
    location,
    names,
    nodes,
    tokens,
    unquoted,
)
from embedded.ksql.language.named_types import PRIMITIVES, NamedType
from embedded.ksql.language.rewriting import rewrite, walk
from embedded.ksql.types import Base, SqlType, array, decimal, mapping, struct

_INT_MAX = 2**31 - 1
_LONG_MAX = 2**63 - 1


def integer_literal(value: int, where: ast.Location | None) -> ast.IntegerLiteral | ast.LongLiteral:
    """Return the literal for a whole number: 32 bits if it fits, else 64; see ``refuse_overflow``."""
    if -_INT_MAX - 1 <= value <= _INT_MAX:
        return ast.IntegerLiteral(value, location=where)
    return ast.LongLiteral(value, location=where)


def refuse_overflow(tree: object) -> None:
    """Raise StatementError for a literal beyond BIGINT: known once its minus is read."""
    for part in walk(tree):
        match part:
            case ast.LongLiteral(value) if not -_LONG_MAX - 1 <= value <= _LONG_MAX:
                raise _wrong_number("Invalid numeric literal", str(value), part.location)


def _double(text: str, where: ast.Location | None) -> ast.DoubleLiteral:
    value = float(text)
    if math.isinf(value):
        raise _wrong_number("Number overflows DOUBLE", text, where)
    return ast.DoubleLiteral(value, location=where)


def _wrong_number(what: str, text: str, location: ast.Location | None) -> StatementError:
    where = f"line {location.line}:{location.column + 1}: " if location else ""  # ksqlDB counts from 2 here
    return StatementError(f"Failed to prepare statement: {where}{what}: {text}")


@v_args(meta=True)
class ExpressionBuilder(Transformer[Any, Any]):
    """One method a rule of the grammar's sections on expressions, types and names."""

    def name(self, _meta: Any, children: Children) -> Name:
        """``name``."""
        return Name(identifier(children[0]), str(children[0]).strip('`"'))

    # literals

    def number(self, meta: Any, children: Children) -> Any:
        """``number``."""
        text, where = str(children[0]), location(meta)
        match children[0].type:
            case "INTEGER":
                return integer_literal(int(text), where)
            case "DECIMALNUMBER":
                return ast.DecimalLiteral(Decimal(text), location=where)
            case _:
                return _double(text, where)

    def string(self, meta: Any, children: Children) -> ast.StringLiteral:
        """``STRING``."""
        return ast.StringLiteral(unquoted(children[0]), location=location(meta))

    def bytes_(self, meta: Any, children: Children) -> ast.BytesLiteral:
        """``BYTES``."""
        return ast.BytesLiteral(bytes.fromhex(children[0][2:-1]), location=location(meta))

    def null(self, meta: Any, _children: Children) -> ast.NullLiteral:
        """``NULL``."""
        return ast.NullLiteral(location=location(meta))

    def true(self, meta: Any, _children: Children) -> ast.BooleanLiteral:
        """``TRUE``."""
        return ast.BooleanLiteral(value=True, location=location(meta))

    def false(self, meta: Any, _children: Children) -> ast.BooleanLiteral:
        """``FALSE``."""
        return ast.BooleanLiteral(value=False, location=location(meta))

    # logic

    def logical(self, meta: Any, children: Children) -> ast.Logical:
        """``left AND right``, ``left OR right``."""
        left, right = nodes(children)
        return ast.Logical("OR" if has(children, "OR") else "AND", left, right, location=location(meta))

    def not_(self, meta: Any, children: Children) -> ast.Not:
        """``NOT operand``."""
        return ast.Not(nodes(children)[0], location=location(meta))

    def comparison_operator(self, _meta: Any, children: Children) -> Name:
        """``=``, ``<>`` and so on."""
        return Name("<>" if children[0] == "!=" else str(children[0]), "")

    def comparison(self, meta: Any, children: Children) -> ast.Comparison:
        """``left op right``."""
        left, right = nodes(children)
        operator: Any = names(children)[0]
        return ast.Comparison(operator, left, right, location=location(meta))

    def distinct_from(self, meta: Any, children: Children) -> ast.Comparison:
        """``left IS [NOT] DISTINCT FROM right``."""
        left, right = nodes(children)
        negated = has(children, "NOT")
        return ast.Comparison(
            "IS NOT DISTINCT FROM" if negated else "IS DISTINCT FROM", left, right, location=location(meta)
        )

    def is_null(self, meta: Any, children: Children) -> ast.IsNull:
        """``operand IS [NOT] NULL``."""
        return ast.IsNull(nodes(children)[0], negated=has(children, "NOT"), location=location(meta))

    def between(self, meta: Any, children: Children) -> Any:
        """``operand [NOT] BETWEEN low AND high``."""
        operand, low, high = nodes(children)
        return _negated(children, ast.Between(operand, low, high, location=location(meta)))

    def in_list(self, meta: Any, children: Children) -> Any:
        """``operand [NOT] IN (…)``."""
        operand, *items = nodes(children)
        return _negated(children, ast.InList(operand, tuple(items), location=location(meta)))

    def like(self, meta: Any, children: Children) -> Any:
        """``operand [NOT] LIKE pattern [ESCAPE 'x']``."""
        operand, pattern = nodes(children)
        escape = unquoted(tokens(children, "STRING")[0]) if has(children, "ESCAPE") else None
        if escape is not None and len(escape) != 1:
            raise StatementError(f"Failed to prepare statement: Expected single character for escape but got: {escape}")
        return _negated(children, ast.Like(operand, pattern, escape, location=location(meta)))

    # arithmetic

    def arithmetic(self, meta: Any, children: Children) -> ast.Arithmetic:
        """``left op right``."""
        left, operator, right = children
        symbol: Any = str(operator)
        return ast.Arithmetic(symbol, left, right, location=location(meta))

    def concatenation(self, meta: Any, children: Children) -> ast.FunctionCall:
        """``left || right``, which is CONCAT."""
        return ast.FunctionCall("CONCAT", tuple(nodes(children)), location=location(meta))

    def signed(self, meta: Any, children: Children) -> Any:
        """``-operand``, ``+operand``; a minus belongs to the number it stands before."""
        sign, operand = children
        where = location(meta)
        if sign.type == "PLUS":
            return ast.Negation("+", operand, location=where)
        match operand:
            case ast.IntegerLiteral(value) | ast.LongLiteral(value):
                return integer_literal(-value, where)
            case ast.DecimalLiteral(value):
                return ast.DecimalLiteral(-value, location=where)
            case ast.DoubleLiteral(value):
                return ast.DoubleLiteral(-value, location=where)
        return ast.Negation("-", operand, location=where)

    # primaries

    def parenthesised(self, _meta: Any, children: Children) -> Any:
        """``(expression)``."""
        return children[1]

    def column(self, meta: Any, children: Children) -> ast.ColumnReference:
        """``name`` or ``qualifier.name``."""
        *qualifier, name = names(children)
        return ast.ColumnReference(name, qualifier[0] if qualifier else None, location=location(meta))

    def call(self, meta: Any, children: Children) -> ast.FunctionCall:
        """``NAME(arguments)``."""
        return ast.FunctionCall(names(children)[0].upper(), tuple(nodes(children)), location=location(meta))

    def interval_unit(self, meta: Any, children: Children) -> ast.StringLiteral:
        """``DAYS`` and so on, where a function takes a unit of time."""
        return ast.StringLiteral(children[0].type, bare=True, location=location(meta))

    def lambda_(self, meta: Any, children: Children) -> ast.Lambda:
        """``x => body``, ``(x, y) => body``; the parameters' uses in the body become lambda variables."""
        parameters = tuple(names(children))

        def bound(node: object) -> object:
            if isinstance(node, ast.ColumnReference) and node.qualifier is None and node.name in parameters:
                return ast.LambdaVariable(node.name, location=node.location)
            return node

        return ast.Lambda(parameters, rewrite(nodes(children)[0], bound), location=location(meta))

    def dereference(self, meta: Any, children: Children) -> ast.Dereference:
        """``base->field``."""
        return ast.Dereference(nodes(children)[0], names(children)[0], location=location(meta))

    def subscript(self, meta: Any, children: Children) -> ast.Subscript:
        """``base[index]``."""
        base, index = nodes(children)
        return ast.Subscript(base, index, location=location(meta))

    def cast(self, meta: Any, children: Children) -> ast.Cast:
        """``CAST(operand AS type)``."""
        operand, kind = nodes(children)
        return ast.Cast(operand, kind, location=location(meta))

    def when(self, meta: Any, children: Children) -> ast.When:
        """``WHEN condition THEN result``."""
        condition, result = nodes(children)
        return ast.When(condition, result, location=location(meta))

    def else_(self, _meta: Any, children: Children) -> Clause:
        """``ELSE default``."""
        return Clause("else", nodes(children)[0])

    def searched_case(self, meta: Any, children: Children) -> ast.SearchedCase:
        """``CASE WHEN … END``."""
        return ast.SearchedCase(tuple(nodes(children)), clause(children, "else"), location=location(meta))

    def simple_case(self, meta: Any, children: Children) -> ast.SimpleCase:
        """``CASE operand WHEN … END``."""
        operand, *whens = nodes(children)
        return ast.SimpleCase(operand, tuple(whens), clause(children, "else"), location=location(meta))

    def array_constructor(self, meta: Any, children: Children) -> ast.ArrayConstructor:
        """``ARRAY[…]``."""
        return ast.ArrayConstructor(tuple(nodes(children)), location=location(meta))

    def map_entry(self, _meta: Any, children: Children) -> tuple[Any, ...]:
        """``key := value``."""
        return tuple(nodes(children))

    def map_constructor(self, meta: Any, children: Children) -> ast.MapConstructor:
        """``MAP(…)``."""
        return ast.MapConstructor(tuple(nodes(children)), location=location(meta))

    def struct_field(self, _meta: Any, children: Children) -> tuple[str, Any]:
        """``name := value``."""
        return names(children)[0], nodes(children)[0]

    def struct_constructor(self, meta: Any, children: Children) -> ast.StructConstructor:
        """``STRUCT(…)``."""
        return ast.StructConstructor(tuple(nodes(children)), location=location(meta))

    def type_constructor(self, meta: Any, children: Children) -> ast.DecimalLiteral:
        """``DECIMAL '1.5'``: the only type that there is, in quotes since it is a reserved word."""
        name, text = names(children)[0], unquoted(tokens(children, "STRING")[0])
        if name != "DECIMAL":
            raise StatementError(
                f"Failed to prepare statement: Unknown type: {name}, "
                f"location:Optional[Line: {meta.line}, Col: {meta.column}]"
            )
        try:
            return ast.DecimalLiteral(Decimal(text), location=location(meta))
        except InvalidOperation as error:
            raise StatementError(f"Failed to prepare statement: '{text}' is no number") from error

    # types

    def type_parameter(self, _meta: Any, children: Children) -> Clause:
        """A length, or the word STRING: both mean nothing."""
        (token,) = children
        if token.type == "IDENTIFIER" and token.upper() != "STRING":
            raise StatementError(
                f"line {token.line}:{token.column}: Syntax Error\nExpecting {{'STRING', INTEGER_VALUE}}"
            )
        return Clause("parameter", str(token))

    def array_type(self, _meta: Any, children: Children) -> SqlType:
        """``ARRAY<element>``."""
        return array(nodes(children)[0])

    def map_type(self, _meta: Any, children: Children) -> SqlType:
        """``MAP<key, value>``."""
        return mapping(*nodes(children))

    def field(self, _meta: Any, children: Children) -> tuple[str, SqlType]:
        """``name type``."""
        return names(children)[0], nodes(children)[0]

    def struct_type(self, _meta: Any, children: Children) -> SqlType:
        """``STRUCT<…>``."""
        return struct(*nodes(children))

    def decimal_type(self, _meta: Any, children: Children) -> SqlType:
        """``DECIMAL(precision, scale)``."""
        precision, scale = tokens(children, "INTEGER")
        return decimal(int(precision), int(scale))

    def named_type(self, _meta: Any, children: Children) -> SqlType:
        """``name``: a primitive type, or one to be looked up later."""
        name = names(children)[0]
        return PRIMITIVES.get(name.upper()) or NamedType(Base.STRUCT, name=name)


def _negated(children: Children, node: Any) -> Any:
    return ast.Not(node, location=node.location) if has(children, "NOT") else node
