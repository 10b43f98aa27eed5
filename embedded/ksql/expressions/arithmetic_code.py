"""Generated code for arithmetic: wrapping integers inline, everything else by a runtime function."""

from __future__ import annotations

from embedded.ksql.expressions import arithmetic
from embedded.ksql.expressions.arithmetic_types import result_type
from embedded.ksql.expressions.code import Code, Unit
from embedded.ksql.expressions.errors import CodeError
from embedded.ksql.types import STRING, Base

_WRAPS = {
    Base.INTEGER: ("wrap32", arithmetic.wrap32, "-2147483648", "2147483647"),
    Base.BIGINT: ("wrap64", arithmetic.wrap64, "-9223372036854775808", "9223372036854775807"),
}


def operation(unit: Unit, operator: str, left: Code, right: Code) -> Code:
    """Return code for ``left operator right``; it raises for nulls, except where text is joined."""
    kind = result_type(operator, left.type, right.type)
    if kind is None:
        raise CodeError(f"No arithmetic {operator} for {left.type} and {right.type}")
    match kind.base:
        case Base.STRING:
            return Code(f"({_text_operand(unit, left)} + {_text_operand(unit, right)})", STRING, nullable=False)
        case Base.DECIMAL:
            function = unit.bind(arithmetic.decimal_operation(operator, kind.precision, kind.scale))
            text = f"{function}({left.text}, {right.text})"
        case Base.DOUBLE:
            text = _double_arithmetic(unit, operator, _as_double(left), _as_double(right))
        case _:
            text = _whole_arithmetic(unit, operator, kind.base, left.text, right.text)
    return Code(text, kind, nullable=False)


def _text_operand(unit: Unit, code: Code) -> str:
    if not code.nullable:
        return code.text
    first, again = unit.twice(code)
    return f"('null' if {first} is None else {again})"


def _as_double(code: Code) -> str:
    is_double = code.type is not None and code.type.base is Base.DOUBLE
    return code.text if is_double else f"float({code.text})"


def _double_arithmetic(unit: Unit, operator: str, left: str, right: str) -> str:
    match operator:
        case "/":
            return f"{unit.bind_named('divide_double', arithmetic.divide_double)}({left}, {right})"
        case "%":
            return f"{unit.bind_named('remainder_double', arithmetic.remainder_double)}({left}, {right})"
        case _:
            return f"({left} {operator} {right})"


def _whole_arithmetic(unit: Unit, operator: str, base: Base, left: str, right: str) -> str:
    match operator:
        case "/":
            name = unit.bind_named("divide_truncating", arithmetic.divide_truncating)
            return _wrapped(unit, base, f"{name}({left}, {right})")
        case "%":
            return f"{unit.bind_named('remainder_truncating', arithmetic.remainder_truncating)}({left}, {right})"
        case _:
            return _wrapped(unit, base, f"{left} {operator} {right}")


def _wrapped(unit: Unit, base: Base, text: str) -> str:
    name, function, low, high = _WRAPS[base]
    result = unit.temporary()
    return f"({result} if {low} <= ({result} := {text}) <= {high} else {unit.bind_named(name, function)}({result}))"


def negation(unit: Unit, operator: str, operand: Code) -> Code:
    """Return code for a sign; it raises for a null."""
    kind = operand.type
    if operator == "+" or kind is None:
        return Code(f"(+{operand.text})", kind, nullable=False)
    if kind.base is Base.DECIMAL:
        if operand.is_constant:
            return unit.constant(arithmetic.negate_decimal(operand.constant), kind)
        return Code(f"{unit.bind_named('negate_decimal', arithmetic.negate_decimal)}({operand.text})", kind, False)
    if operand.is_constant:
        return unit.constant(-operand.constant, kind)
    if kind.base is Base.DOUBLE:
        return Code(f"(-{operand.text})", kind, nullable=False)
    return Code(_wrapped(unit, kind.base, f"-{operand.text}"), kind, nullable=False)
