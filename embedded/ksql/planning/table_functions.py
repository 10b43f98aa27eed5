"""Table functions in the select list: EXPLODE makes a row of every element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedded.ksql.errors import StatementError
from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.errors import ExecutionError, schema_text, typed_selection
from embedded.ksql.planning.plan import FlatMap, NamedExpression, TypedExpression
from embedded.ksql.planning.resolution import Selected
from embedded.ksql.planning.stage import Stage
from embedded.ksql.planning.substitution import substitute
from embedded.ksql.types import Column, Schema, array

_NAMES = {"EXPLODE", "CUBE_EXPLODE"}


def table_functions_in(expression: ast.Expression) -> list[ast.FunctionCall]:
    """Return the calls of table functions within an expression."""
    return [part for part in walk(expression) if isinstance(part, ast.FunctionCall) and part.name in _NAMES]


def refuse_table_functions(condition: ast.Expression, schema: Schema) -> None:
    """Raise ExecutionError for a table function in WHERE, where ksqlDB looks for scalar functions only."""
    for call in table_functions_in(condition):
        raise ExecutionError(
            f"Invalid Predicate: Can't find any functions with the name '{call.name}'. "
            f"expression: {format_expression(condition)}, schema:{schema_text(schema)}"
        )


def _refuse_in_case(expression: ast.Expression) -> None:
    for part in walk(expression):
        if isinstance(part, ast.SearchedCase) and table_functions_in(part):
            raise StatementError(f"Table functions cannot be used in CASE: {format_expression(part)}")


def plan_table_functions(
    stage: Stage, select: Sequence[Selected], library: FunctionLibrary
) -> tuple[Stage, list[Selected]]:
    """Return the stage with the table functions computed, and the select list over it."""
    calls = list(dict.fromkeys(call for item in select for call in table_functions_in(item.expression)))
    if not calls:
        return stage, list(select)
    if stage.is_table:
        raise StatementError("Table source is not supported with table functions")
    for call in calls:
        for inner in table_functions_in(call)[1:]:
            raise StatementError(f"Table functions cannot be nested: `{call.name}`(`{inner.name}`())")
    for item in select:
        _refuse_in_case(item.expression)
    typed = [typed_selection(call, stage.plan.schema, library) for call in calls]
    added = tuple(
        Column(f"KSQL_TABLE_FUNCTION_{index}", one.type) for index, one in enumerate(typed) if one.type is not None
    )
    # A table function's type is that of an element; called, it gives the list of the elements.
    columns = tuple(
        NamedExpression(column.name, TypedExpression(call, array(column.type)))
        for call, column in zip(calls, added, strict=True)
    )
    schema = Schema(stage.plan.schema.key, (*stage.plan.schema.value, *added))
    names = {call: ast.ColumnReference(column.name) for call, column in zip(calls, columns, strict=True)}

    def computed(part: ast.Expression) -> ast.Expression | None:
        return names.get(part) if isinstance(part, ast.FunctionCall) else None

    rewritten = [Selected(item.name, substitute(item.expression, computed)) for item in select]
    return replace(stage, plan=FlatMap(stage.plan, columns, schema)), rewritten
