"""Compiles expressions over a row to one Python function, generated and executed once.

The generated function reads each column once and computes all expressions in one go. Only if something raises is the
row computed again, expression by expression: as in ksqlDB, what raised is null, and is reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from embedded.ksql.expressions.code import Unit
from embedded.ksql.expressions.codegen import emit
from embedded.ksql.expressions.scope import scope_of
from embedded.ksql.functions.interface import FunctionLibrary, QueryFailedError
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.plan import TypedExpression
from embedded.ksql.types import Schema

FailureSink: TypeAlias = Callable[[Row, str], None]
RowFunction: TypeAlias = Callable[[Row], tuple[Any, ...]]
Predicate: TypeAlias = Callable[[Row], bool]
Report: TypeAlias = Callable[[str], None]


def compile_row_function(
    expressions: Sequence[TypedExpression],
    schema: Schema,
    library: FunctionLibrary,
    *,
    failures: FailureSink | None = None,
    names: Sequence[str] = (),
) -> RowFunction:
    """Return a function from a row of ``schema`` to the tuple of the expressions' values.

    An expression that raises gives None in its place; then ``failures`` (if any) is called with the row and ksqlDB's
    "Error computing expression … for column … with index …" (``names`` are the columns' names for it).
    QueryFailedError is not caught. Rows whose value is None are the caller's business: value columns are null then,
    which for a projection of a stream (null in, null out) is not what it wants.
    """
    careful: list[Callable[[Row, Report], Any]] = []

    def compute_separately(row: Row) -> tuple[Any, ...]:
        def report(message: str) -> None:
            if failures is not None and row.value is not None:
                failures(row, message)

        if not careful:
            careful.extend(_careful(expression, schema, library) for expression in expressions)
        values = []
        for index, compute in enumerate(careful):
            try:
                values.append(compute(row, report))
            except QueryFailedError:
                raise
            except Exception as error:  # noqa: BLE001  # whatever a function raises makes the column null
                values.append(None)
                report(_message(expressions[index], names, index, error))
        return tuple(values)

    result = "(" + "".join(f"{{{index}}}," for index in range(len(expressions))) + ")"
    return _fast(expressions, schema, library, result, compute_separately)


def compile_predicate(
    predicate: TypedExpression,
    schema: Schema,
    library: FunctionLibrary,
    *,
    failures: FailureSink | None = None,
) -> Predicate:
    """Return a function that tells whether a row satisfies a BOOLEAN expression.

    A null, an expression that raises (``failures`` is told) and a row whose value is None do not satisfy it.
    """
    careful = _careful(predicate, schema, library)

    def decide(row: Row) -> bool:
        def report(message: str) -> None:
            if failures is not None and row.value is not None:
                failures(row, message)

        try:
            return careful(row, report) is True and row.value is not None
        except QueryFailedError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a function raises makes the predicate false
            report(f"Error evaluating predicate {format_expression(predicate.expression)}: {error}")
            return False

    decided: Predicate = _fast([predicate], schema, library, "{0} is True and row[1] is not None", decide)
    return decided


def generated_source(expressions: Sequence[TypedExpression], schema: Schema, library: FunctionLibrary) -> str:
    """Return the Python source that expressions are compiled to, for tests and curious readers."""
    result = "(" + "".join(f"{{{index}}}," for index in range(len(expressions))) + ")"
    return _body(expressions, Unit(scope_of(schema, library)), schema, result)


def _message(expression: TypedExpression, names: Sequence[str], index: int, error: Exception) -> str:
    name = names[index] if index < len(names) else ""
    text = format_expression(expression.expression)
    return f"Error computing expression {text} for column {name} with index {index}: {error}"


def _careful(expression: TypedExpression, schema: Schema, library: FunctionLibrary) -> Callable[[Row, Report], Any]:
    """Return the function for one expression that handles exceptions where ksqlDB does, and reports them."""
    unit = Unit(scope_of(schema, library), careful=True)
    body = _body([expression], unit, schema, "{0}")
    return _define(f"def compute(row, report):\n{body}", unit)


def _fast(
    expressions: Sequence[TypedExpression],
    schema: Schema,
    library: FunctionLibrary,
    result: str,
    fallback: Callable[[Row], Any],
) -> Callable[[Row], Any]:
    """Return the function for all expressions at once; if anything raises, the fallback decides."""
    unit = Unit(scope_of(schema, library))
    body = "".join(f"    {line}\n" for line in _body(expressions, unit, schema, result).splitlines())
    unit.namespace["_fallback"] = fallback
    source = f"def compute(row):\n    try:\n{body}    except Exception:\n        return _fallback(row)\n"
    return _define(source, unit)


def _body(expressions: Sequence[TypedExpression], unit: Unit, schema: Schema, result: str) -> str:
    """Return the body of a function of ``row``; ``result`` is a template of what it returns."""
    text = result.format(*(emit(unit, expression.expression).text for expression in expressions))
    reads: list[str] = []
    for local, source in unit.columns.items():
        uses = re.findall(rf"\b{local}\b", text)
        if len(uses) == 1 and "lambda" not in text:
            text = re.sub(rf"\b{local}\b", source, text)
        else:
            reads.append(f"    {local} = {source}\n")
    body = "".join(reads) + f"    return {text}\n"
    head = ""
    if "key[" in body:
        unit.namespace["_no_key"] = (None,) * len(schema.key)
        head += "    key = row[0] or _no_key\n"
    if "value[" in body:
        head += "    value = row[1]\n"
    return head + body


def _define(source: str, unit: Unit) -> Callable[..., Any]:
    namespace = dict(unit.namespace)
    exec(compile(source, "<ksql expression>", "exec"), namespace)  # noqa: S102  # our own generated code
    compute: Callable[..., Any] = namespace["compute"]
    return compute
