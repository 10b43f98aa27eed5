"""Generates Python source for expressions.

As in ksqlDB's generated Java, a null operand of arithmetic, NOT, AND, OR or LIKE raises, and whatever raises makes the
whole column null. Only comparisons, IS NULL, IN, BETWEEN and what a subscript is applied to look for nulls. Only CAST,
the elements of a constructed ARRAY, MAP or STRUCT, and calls and fields that are arguments of functions are null by
themselves where they raise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from embedded.ksql.expressions.arithmetic_code import negation, operation
from embedded.ksql.expressions.code import Code, Unit
from embedded.ksql.expressions.coercion import coerce_list
from embedded.ksql.expressions.comparisons import comparison, fold
from embedded.ksql.expressions.errors import CodeError
from embedded.ksql.expressions.patterns import like, like_pattern
from embedded.ksql.expressions.scope import Scope
from embedded.ksql.expressions.typing import arguments_of, infer
from embedded.ksql.functions.casts import cast_function
from embedded.ksql.functions.interface import EvaluationError, QueryFailedError
from embedded.ksql.functions.java_maps import arranged
from embedded.ksql.language import ast
from embedded.ksql.types import BIGINT, BOOLEAN, BYTES, DOUBLE, INTEGER, STRING, Base, SqlType

_ALWAYS_CAST = {(Base.INTEGER, Base.BIGINT), (Base.INTEGER, Base.DOUBLE), (Base.BIGINT, Base.DOUBLE)}


def emit(unit: Unit, expression: ast.Expression) -> Code:
    """Return code for an expression that was typed before."""
    return _EMITTERS[type(expression)](unit, expression)


def require_true(value: bool | None) -> bool:
    """Return a boolean operand's value. Raises TypeError for a null, as unboxing it does in Java."""
    if value is None:
        raise TypeError("null where a BOOLEAN is needed")
    return value


def element_at(items: list[Any] | None, index: int) -> Any:
    """Return the element by ksqlDB's index: from 1, or from -1 at the end; null if there is none."""
    if items is None:
        return None
    position = index - 1 if index >= 0 else len(items) + index
    return items[position] if 0 <= position < len(items) else None


def attempt(compute: Callable[[], Any], kind: SqlType | None, report: Callable[[str], None]) -> Any:
    """Return what is computed; None if that raises, which is reported."""
    try:
        return compute()
    except QueryFailedError:
        raise
    except Exception as error:  # noqa: BLE001  # whatever raises is null
        report(f"Error processing {kind}: {error}")
        return None


def _attempted(unit: Unit, code: Code) -> Code:
    """Return code that gives None where the given code raises (the fast code may raise instead)."""
    if code.safe or not unit.careful:
        return code
    text = f"{unit.bind_named('attempt', attempt)}(lambda: {code.text}, {unit.bind(code.type)}, report)"
    return Code(text, code.type, safe=True)


def _literal(kind: SqlType) -> Callable[[Unit, Any], Code]:
    return lambda unit, expression: unit.constant(expression.value, kind)


def _decimal_literal(unit: Unit, expression: ast.DecimalLiteral) -> Code:
    return unit.constant(expression.value, infer(expression, unit.scope))


def _column(unit: Unit, expression: ast.ColumnReference) -> Code:
    return unit.column(expression.name)


def _boolean(unit: Unit, expression: ast.Expression) -> str:
    """Return code for a condition; where it may be null, the code raises then."""
    return _required(unit, emit(unit, expression))


def _required(unit: Unit, code: Code) -> str:
    if not code.nullable:
        return code.text
    return f"{unit.bind_named('require_true', require_true)}({code.text})"


def _dereference(unit: Unit, expression: ast.Dereference) -> Code:
    first, again = unit.twice(emit(unit, expression.base))
    kind = infer(expression, unit.scope)
    return Code(f"(None if {first} is None else {again}.get({expression.name!r}))", kind)


def _subscript(unit: Unit, expression: ast.Subscript) -> Code:
    base, index = emit(unit, expression.base), emit(unit, expression.index)
    kind = infer(expression, unit.scope)
    if base.type is not None and base.type.base is Base.MAP:
        first, again = unit.twice(base)
        return Code(f"(None if {first} is None else {again}.get({index.text}))", kind)
    return Code(f"{unit.bind_named('element_at', element_at)}({base.text}, {index.text})", kind)


def _arithmetic(unit: Unit, expression: ast.Arithmetic) -> Code:
    return operation(unit, expression.operator, emit(unit, expression.left), emit(unit, expression.right))


def _negation(unit: Unit, expression: ast.Negation) -> Code:
    return negation(unit, expression.operator, emit(unit, expression.operand))


def _comparison(unit: Unit, expression: ast.Comparison) -> Code:
    return comparison(unit, expression.operator, emit(unit, expression.left), emit(unit, expression.right))


def _logical(unit: Unit, expression: ast.Logical) -> Code:
    left, right = _boolean(unit, expression.left), _boolean(unit, expression.right)
    return Code(f"({left} {expression.operator.lower()} {right})", BOOLEAN, nullable=False)


def _not(unit: Unit, expression: ast.Not) -> Code:
    return Code(f"(not {_boolean(unit, expression.operand)})", BOOLEAN, nullable=False)


def _is_null(unit: Unit, expression: ast.IsNull) -> Code:
    operator = "is not" if expression.negated else "is"
    operand = emit(unit, expression.operand)
    if operand.is_constant:
        return unit.constant((operand.constant is None) is not expression.negated, BOOLEAN)
    return Code(f"({operand.text} {operator} None)", BOOLEAN, nullable=False, safe=operand.safe)


def _between(unit: Unit, expression: ast.Between) -> Code:
    operand = emit(unit, expression.operand)
    value = operand if operand.atomic else operand._replace(text=unit.temporary(), atomic=True)
    low = comparison(unit, ">=", value, emit(unit, expression.low))
    high = comparison(unit, "<=", value, emit(unit, expression.high))
    both = f"({low.text} and {high.text})"
    text = both if operand.atomic else f"(({value.text} := {operand.text}), {both})[1]"
    return Code(text, BOOLEAN, nullable=False)


def _in_list(unit: Unit, expression: ast.InList) -> Code:
    _, coerced = coerce_list((expression.operand, *expression.items), lambda item: infer(item, unit.scope), CodeError)
    operand, *items = (emit(unit, item) for item in coerced)
    if not all(item.is_constant for item in items):
        listed = ", ".join(item.text for item in items)
        if operand.is_constant:
            found = "False" if operand.constant is None else f"({operand.text} in ({listed},))"
            return Code(found, BOOLEAN, nullable=False)
        first, again = unit.twice(operand)
        return Code(f"({first} is not None and {again} in ({listed},))", BOOLEAN, nullable=False)
    known = [item.constant for item in items if item.constant is not None]
    return Code(f"({operand.text} in {unit.bind(_container(known))})", BOOLEAN, nullable=False)


def _container(values: Sequence[Any]) -> frozenset[Any] | tuple[Any, ...]:
    try:
        return frozenset(values)
    except TypeError:
        return tuple(values)


def _like(unit: Unit, expression: ast.Like) -> Code:
    operand, pattern = emit(unit, expression.operand), emit(unit, expression.pattern)
    if pattern.is_constant and pattern.constant is not None and not _is_cut_off(pattern.constant, expression.escape):
        match = unit.bind(like_pattern(pattern.constant, expression.escape).fullmatch)
        return Code(f"({match}({operand.text}) is not None)", BOOLEAN, nullable=False)
    text = f"{unit.bind_named('like', like)}({operand.text}, {pattern.text}, {expression.escape!r})"
    return Code(text, BOOLEAN, nullable=False)


def _is_cut_off(pattern: str, escape: str | None) -> bool:
    """Whether a LIKE pattern ends with its escape character: an error of every row, not of the statement."""
    try:
        like_pattern(pattern, escape)
    except EvaluationError:
        return True
    return False


def _case(unit: Unit, expression: ast.SearchedCase) -> Code:
    kind = infer(expression, unit.scope)
    conditions = [emit(unit, when.condition) for when in expression.whens]
    results = [emit(unit, when.result) for when in expression.whens]
    default = emit(unit, expression.default) if expression.default is not None else unit.constant(None, kind)
    branches = " ".join(
        f"{result.text} if {_required(unit, condition)} else"
        for condition, result in zip(conditions, results, strict=True)
    )
    parts = (*results, default)
    safe = all(code.safe for code in (*conditions, *parts)) and not any(code.nullable for code in conditions)
    return Code(f"({branches} {default.text})", kind, nullable=any(part.nullable for part in parts), safe=safe)


def _cast(unit: Unit, expression: ast.Cast) -> Code:
    return _attempted(unit, converted(unit, emit(unit, expression.operand), expression.type))


def converted(unit: Unit, operand: Code, target: SqlType) -> Code:
    """Return code for a cast; constants are cast now if they can be."""
    if operand.type is None or operand.type == target:
        return operand._replace(type=target)
    convert = cast_function(operand.type, target)
    if operand.is_constant:
        folded = fold(unit, convert, operand.constant, target)
        if folded is not None:
            return folded
    widens = (operand.type.base, target.base) in _ALWAYS_CAST
    text = f"{unit.bind(convert)}({operand.text})"
    return Code(text, target, nullable=operand.nullable, safe=operand.safe and widens)


def _function(unit: Unit, expression: ast.FunctionCall) -> Code:
    if expression.name == "AS_VALUE" and len(expression.arguments) == 1:
        return emit(unit, expression.arguments[0])
    resolved = unit.scope.library.resolve_scalar(expression.name, arguments_of(expression, unit.scope))
    lambda_types = iter(resolved.lambda_types)
    texts: list[str] = []
    for index, argument in enumerate(expression.arguments):
        if isinstance(argument, ast.Lambda):
            texts.append(_lambda(unit, argument, next(lambda_types)))
            continue
        code = emit(unit, argument)
        if isinstance(argument, (ast.FunctionCall, ast.Dereference)):
            code = _attempted(unit, code)
        target = resolved.coerce[index] if index < len(resolved.coerce) else None
        texts.append((converted(unit, code, target) if target is not None else code).text)
    return Code(f"{unit.bind(resolved.call)}({', '.join(texts)})", resolved.returns)


def _lambda(unit: Unit, expression: ast.Lambda, types: Sequence[SqlType]) -> str:
    outer: Scope = unit.scope
    unit.scope = outer.with_variables(dict(zip(expression.parameters, types, strict=True)))
    try:
        body = emit(unit, expression.body)
    finally:
        unit.scope = outer
    return f"(lambda {', '.join(map(_variable_name, expression.parameters))}: {body.text})"


def _variable_name(name: str) -> str:
    return "v_" + "_".join(str(ord(character)) for character in name)


def _variable(unit: Unit, expression: ast.LambdaVariable) -> Code:
    return Code(_variable_name(expression.name), infer(expression, unit.scope), atomic=True)


def _items(unit: Unit, items: Sequence[ast.Expression]) -> list[str]:
    _, coerced = coerce_list(items, lambda item: infer(item, unit.scope), CodeError)
    return [_attempted(unit, emit(unit, item)).text for item in coerced]


def _array(unit: Unit, expression: ast.ArrayConstructor) -> Code:
    text = f"[{', '.join(_items(unit, expression.items))}]"
    return Code(text, infer(expression, unit.scope), nullable=False, safe=True)


def _map(unit: Unit, expression: ast.MapConstructor) -> Code:
    keys = _items(unit, [key for key, _ in expression.entries])
    values = _items(unit, [value for _, value in expression.entries])
    pairs = ", ".join(f"{key}: {value}" for key, value in zip(keys, values, strict=True))
    text = f"{unit.bind_named('arranged', arranged)}({{{pairs}}}, {len(keys)})"
    return Code(text, infer(expression, unit.scope), nullable=False, safe=True)


def _struct(unit: Unit, expression: ast.StructConstructor) -> Code:
    pairs = ", ".join(f"{name!r}: {_attempted(unit, emit(unit, value)).text}" for name, value in expression.fields)
    return Code(f"{{{pairs}}}", infer(expression, unit.scope), nullable=False, safe=True)


_EMITTERS: dict[type[ast.Node], Callable[[Unit, Any], Code]] = {
    ast.NullLiteral: lambda unit, _: unit.constant(None, None),
    ast.BooleanLiteral: _literal(BOOLEAN),
    ast.IntegerLiteral: _literal(INTEGER),
    ast.LongLiteral: _literal(BIGINT),
    ast.DoubleLiteral: _literal(DOUBLE),
    ast.DecimalLiteral: _decimal_literal,
    ast.StringLiteral: _literal(STRING),
    ast.BytesLiteral: _literal(BYTES),
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
    ast.Cast: _cast,
    ast.FunctionCall: _function,
    ast.LambdaVariable: _variable,
    ast.ArrayConstructor: _array,
    ast.MapConstructor: _map,
    ast.StructConstructor: _struct,
}
