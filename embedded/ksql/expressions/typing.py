"""The type of every expression, with ksqlDB's rules and its error messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from embedded.ksql.errors import StatementError
from embedded.ksql.expressions.arithmetic_types import result_type
from embedded.ksql.expressions.coercion import coerce_list
from embedded.ksql.expressions.comparability import OPERATOR_NAMES, comparable
from embedded.ksql.expressions.errors import CodeError, ExpressionTypeError
from embedded.ksql.expressions.scope import Scope, scope_of
from embedded.ksql.functions.casts import cast_function
from embedded.ksql.functions.interface import Argument, FunctionLibrary, LambdaShape
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.types import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DOUBLE,
    INTEGER,
    INTERVALUNIT,
    STRING,
    Base,
    Schema,
    SqlType,
    array,
    decimal,
    mapping,
    struct,
)

_EMPTY = "(see https://github.com/confluentinc/ksql/issues/4239)."
_WORKAROUND = "As a workaround, you may cast a NULL value to the desired type."


def type_of(expression: ast.Expression, schema: Schema, library: FunctionLibrary) -> SqlType | None:
    """Return an expression's type over rows of a schema, None for a bare NULL.

    Raises ExpressionTypeError or CodeError (both StatementError) with ksqlDB's message.
    """
    return infer(expression, scope_of(schema, library))


def infer(expression: ast.Expression, scope: Scope) -> SqlType | None:
    """Return an expression's type within a scope."""
    return _RULES[type(expression)](expression, scope)


def _decimal_literal(expression: ast.DecimalLiteral, _: Scope) -> SqlType:
    digits, exponent = expression.value.as_tuple().digits, expression.value.as_tuple().exponent
    scale = -exponent if isinstance(exponent, int) and exponent < 0 else 0
    return decimal(scale + 1 if abs(expression.value) < 1 else len(digits), scale)


def _column(expression: ast.ColumnReference, scope: Scope) -> SqlType:
    return scope.column_type(expression.name)


def _dereference(expression: ast.Dereference, scope: Scope) -> SqlType:
    base = infer(expression.base, scope)
    if base is None or base.base is not Base.STRUCT:
        raise ExpressionTypeError(f"Expected STRUCT type, got: {base}")
    for name, kind in base.fields:
        if name == expression.name:
            return kind
    raise ExpressionTypeError(f"Could not find field '{expression.name}' in '{format_expression(expression.base)}'.")


def _subscript(expression: ast.Subscript, scope: Scope) -> SqlType | None:
    base = infer(expression.base, scope)
    index = infer(expression.index, scope)
    if base is None or base.base not in {Base.ARRAY, Base.MAP}:
        hint = ""
        if base is not None and base.base is Base.STRUCT:
            instead = f"{format_expression(expression.base)}->{format_expression(expression.index)}"
            hint = f" Use the dereference operator for STRUCTS: {instead}"
        raise ExpressionTypeError(
            f"Subscript expression ({format_expression(expression)}) do not apply to {base or 'null'}.{hint}"
        )
    if base.base is Base.ARRAY and (index is None or index.base is not Base.INTEGER):
        raise CodeError(f"Array subscript must be an INTEGER, got: {index}")
    return base.element


def _arithmetic(expression: ast.Arithmetic, scope: Scope) -> SqlType:
    left, right = infer(expression.left, scope), infer(expression.right, scope)
    result = result_type(expression.operator, left, right)
    if result is None:
        text = format_expression(expression)
        if left is None or right is None:
            raise ExpressionTypeError(
                f"Error processing expression: {text}. Arithmetic on types {left or 'null'} and {right or 'null'} "
                f"are not supported.\nStatement: {text}"
            )
        names = f"{left.base.value if left else 'null'} {right.base.value if right else 'null'}"
        raise ExpressionTypeError(
            f"Error processing expression: {text}. Unsupported arithmetic types. {names}\nStatement: {text}"
        )
    return result


def _negation(expression: ast.Negation, scope: Scope) -> SqlType | None:
    kind = infer(expression.operand, scope)
    if result_type("-", kind, kind) is None:
        raise CodeError(f"Bad operand type {kind} for unary operator {expression.operator}")
    return kind


def _comparison(expression: ast.Comparison, scope: Scope) -> SqlType:
    left, right = infer(expression.left, scope), infer(expression.right, scope)
    text = format_expression(expression)
    if left is None or right is None:
        raise ExpressionTypeError(
            f"Comparison with NULL not supported: {left or 'NULL'} {expression.operator} {right or 'NULL'}\n"
            f"Use 'IS NULL' or 'IS NOT NULL' instead.\nStatement: {text}"
        )
    if not comparable(left, expression.operator, right):
        raise ExpressionTypeError(
            f"Cannot compare {format_expression(expression.left)} ({left}) to {format_expression(expression.right)} "
            f"({right}) with {OPERATOR_NAMES[expression.operator]}.\nStatement: {text}"
        )
    return BOOLEAN


def _logical(expression: ast.Logical, scope: Scope) -> SqlType:
    for operand in (expression.left, expression.right):
        _require_boolean(operand, scope, expression.operator)
    return BOOLEAN


def _not(expression: ast.Not, scope: Scope) -> SqlType:
    _require_boolean(expression.operand, scope, "NOT")
    return BOOLEAN


def _require_boolean(operand: ast.Expression, scope: Scope, operator: str) -> None:
    kind = infer(operand, scope)
    if kind not in {BOOLEAN, None}:
        raise CodeError(f"Operands of {operator} should be BOOLEAN, but {format_expression(operand)} is {kind}")


def _is_null(expression: ast.IsNull, scope: Scope) -> SqlType:
    infer(expression.operand, scope)
    return BOOLEAN


def _between(expression: ast.Between, scope: Scope) -> SqlType:
    _comparison(ast.Comparison(">=", expression.operand, expression.low), scope)
    _comparison(ast.Comparison("<=", expression.operand, expression.high), scope)
    return BOOLEAN


def _in_list(expression: ast.InList, scope: Scope) -> SqlType:
    coerce_list((expression.operand, *expression.items), lambda item: infer(item, scope), CodeError)
    return BOOLEAN


def _like(expression: ast.Like, scope: Scope) -> SqlType:
    operand, pattern = infer(expression.operand, scope), infer(expression.pattern, scope)
    if operand not in {STRING, None} or pattern not in {STRING, None}:
        raise CodeError(f"LIKE needs STRING operands, got: {operand}, {pattern}")
    return BOOLEAN


def _case(expression: ast.SearchedCase, scope: Scope) -> SqlType:
    for when in expression.whens:
        kind = infer(when.condition, scope)
        if kind != BOOLEAN:
            raise ExpressionTypeError(
                f"WHEN operand type should be boolean.\nType for '{format_expression(when.condition)}' is {kind}"
            )
    result: SqlType | None = None
    for when in expression.whens:
        kind = infer(when.result, scope)
        if result is not None and kind is not None and kind != result:
            raise ExpressionTypeError(
                "Invalid Case expression. Type for all 'THEN' clauses should be the same.\n"
                f"THEN expression 'WHEN {format_expression(when.condition)} THEN {format_expression(when.result)}' "
                f"has type: {kind}.\nPrevious THEN expression(s) type: {result}."
            )
        result = result or kind
    default = infer(expression.default, scope) if expression.default is not None else None
    if result is not None and default is not None and result != default:
        raise ExpressionTypeError(
            "Invalid Case expression. Type for the default clause should be the same as for 'THEN' clauses.\n"
            f"THEN type: {result}.\nDEFAULT type: {default}."
        )
    if result is None and default is None:
        raise ExpressionTypeError("Invalid Case expression. All case branches have NULL type")
    return result or default  # type: ignore[return-value]  # one of them is not None


def _simple_case(_: ast.SimpleCase, __: Scope) -> SqlType:
    raise ExpressionTypeError(
        "not yet implemented: io.confluent.ksql.execution.util.ExpressionTypeManager$Visitor.visitSimpleCaseExpression"
    )


def _cast(expression: ast.Cast, scope: Scope) -> SqlType:
    source = infer(expression.operand, scope)
    if source is not None:
        try:
            cast_function(source, expression.type)
        except StatementError as error:
            raise CodeError(error.message) from None
    return expression.type


def arguments_of(expression: ast.FunctionCall, scope: Scope) -> list[Argument]:
    """Return what overload resolution is told of a call's arguments."""
    return [_argument(argument, scope) for argument in expression.arguments]


def _argument(argument: ast.Expression, scope: Scope) -> Argument:
    if not isinstance(argument, ast.Lambda):
        return infer(argument, scope)

    def infer_body(types: Sequence[SqlType]) -> SqlType | None:
        return infer(argument.body, scope.with_variables(dict(zip(argument.parameters, types, strict=True))))

    return LambdaShape(len(argument.parameters), infer_body)


def _function(expression: ast.FunctionCall, scope: Scope) -> SqlType | None:
    if expression.name == "AS_VALUE" and len(expression.arguments) == 1:
        return infer(expression.arguments[0], scope)
    if scope.library.is_aggregate(expression.name):
        raise CodeError(f"Can't find any functions with the name '{expression.name}'")
    return scope.library.resolve_scalar(expression.name, arguments_of(expression, scope)).returns


def _lambda(_: ast.Lambda, __: Scope) -> SqlType:
    raise ExpressionTypeError("A lambda may only be the argument of a function.")


def _variable(expression: ast.LambdaVariable, scope: Scope) -> SqlType | None:
    if expression.name not in scope.variables:
        raise ExpressionTypeError(f"Unknown lambda variable: {expression.name}")
    return scope.variables[expression.name]


def _array(expression: ast.ArrayConstructor, scope: Scope) -> SqlType:
    if not expression.items:
        raise ExpressionTypeError(f"Array constructor cannot be empty. Please supply at least one element {_EMPTY}")
    common, _ = coerce_list(expression.items, lambda item: infer(item, scope), ExpressionTypeError)
    if common is None:
        raise ExpressionTypeError(f"Cannot construct an array with all NULL elements {_EMPTY} {_WORKAROUND}")
    return array(common)


def _map(expression: ast.MapConstructor, scope: Scope) -> SqlType:
    if not expression.entries:
        raise ExpressionTypeError(
            f"Map constructor cannot be empty. Please supply at least one key value pair {_EMPTY}"
        )
    keys, values = zip(*expression.entries, strict=True)
    key, _ = coerce_list(keys, lambda item: infer(item, scope), ExpressionTypeError)
    value, _ = coerce_list(values, lambda item: infer(item, scope), ExpressionTypeError)
    if key is None or value is None:
        what = "key" if key is None else "value"
        workaround = _WORKAROUND.replace("value", what)
        raise ExpressionTypeError(f"Cannot construct a map with all NULL {what}s {_EMPTY} {workaround}")
    return mapping(key, value)


def _struct(expression: ast.StructConstructor, scope: Scope) -> SqlType:
    fields: dict[str, SqlType] = {}
    for name, value in expression.fields:
        kind = infer(value, scope)
        if kind is None:
            raise ExpressionTypeError("type")  # all that ksqlDB says of a bare NULL
        if name in fields:
            raise ExpressionTypeError(
                f"Duplicate field names found in STRUCT: '`{name}` {fields[name]}' and '`{name}` {kind}'"
            )
        fields[name] = kind
    return struct(*fields.items())


_RULES: dict[type[ast.Node], Callable[[Any, Scope], SqlType | None]] = {
    ast.NullLiteral: lambda _, __: None,
    ast.BooleanLiteral: lambda _, __: BOOLEAN,
    ast.IntegerLiteral: lambda _, __: INTEGER,
    ast.LongLiteral: lambda _, __: BIGINT,
    ast.DoubleLiteral: lambda _, __: DOUBLE,
    ast.DecimalLiteral: _decimal_literal,
    ast.StringLiteral: lambda literal, _: INTERVALUNIT if literal.bare else STRING,
    ast.BytesLiteral: lambda _, __: BYTES,
    ast.ColumnReference: _column,
    ast.Dereference: _dereference,
    ast.Subscript: _subscript,
    ast.Arithmetic: _arithmetic,
    ast.Negation: _negation,
    ast.Comparison: _comparison,
    ast.Logical: _logical,
    ast.Not: _not,
    ast.IsNull: _is_null,
    ast.Between: _between,
    ast.InList: _in_list,
    ast.Like: _like,
    ast.SearchedCase: _case,
    ast.SimpleCase: _simple_case,
    ast.Cast: _cast,
    ast.FunctionCall: _function,
    ast.Lambda: _lambda,
    ast.LambdaVariable: _variable,
    ast.ArrayConstructor: _array,
    ast.MapConstructor: _map,
    ast.StructConstructor: _struct,
}
