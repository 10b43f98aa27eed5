"""How the planner's messages are wrapped."""

from __future__ import annotations

from collections.abc import Sequence

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.expressions.errors import CodeError
from embedded.ksql.expressions.scope import PSEUDO_COLUMNS, WINDOW_BOUNDS
from embedded.ksql.expressions.typing import type_of
from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.planning.plan import TypedExpression
from embedded.ksql.types import BOOLEAN, Schema, SqlType


class ExecutionError(StatementError):
    """Found when ksqlDB builds the query, after its schema is known: not wrapped as a schema error."""


class GenericExecutionError(KsqlError):
    """As ``ExecutionError``, where ksqlDB does not speak of the statement."""


def schema_text(schema: Schema, *, windowed: bool = False) -> str:
    """Return a source's schema as ksqlDB's messages print it: with pseudo columns and copies of the key."""
    keys = [f"`{column.name}` {column.type}" for column in schema.key]
    values = [f"`{column.name}` {column.type}" for column in schema.value]
    names = {**PSEUDO_COLUMNS, **(WINDOW_BOUNDS if windowed else {})}
    pseudo = [f"`{name}` {kind}" for name, kind in names.items()]
    return ", ".join([*(f"{key} KEY" for key in keys), *values, *pseudo, *keys])


def typed_selection(expression: ast.Expression, schema: Schema, library: FunctionLibrary) -> TypedExpression:
    """Type a selected expression. Raises StatementError, "Invalid Select: …" for what only generated code shows."""
    try:
        return TypedExpression(expression, type_of(expression, schema, library))
    except CodeError as error:
        text = format_expression(expression)
        raise StatementError(
            f"Invalid Select: {error.message}. expression: {text}, schema:{schema_text(schema)}\nStatement: {text}"
        ) from None


def typed_predicate(
    clause: str, expression: ast.Expression, schema: Schema, library: FunctionLibrary
) -> TypedExpression:
    """Type the condition of WHERE or HAVING. Raises StatementError, or ExecutionError "Invalid Predicate: …"."""
    text = format_expression(expression)
    try:
        kind = _type_of_last(expression, schema, library)
        if kind == BOOLEAN:
            kind = type_of(expression, schema, library)
    except CodeError as error:
        raise ExecutionError(
            f"Invalid Predicate: {error.message}. expression: {text}, schema:{schema_text(schema)}"
        ) from None
    except StatementError as error:
        raise StatementError(f"Error in {clause} expression: {error.message}\nStatement: {text}") from None
    if kind != BOOLEAN:
        raise StatementError(
            f"Type error in {clause} expression: Should evaluate to boolean but is {text} ({kind}) instead.\n"
            f"Statement: {text}"
        )
    return TypedExpression(expression, kind)


def _type_of_last(expression: ast.Expression, schema: Schema, library: FunctionLibrary) -> SqlType | None:
    """Return the type of a condition as ksqlDB first sees it: that of its last operand, after AND and OR."""
    if not isinstance(expression, ast.Logical):
        return type_of(expression, schema, library)
    _type_of_last(expression.left, schema, library)
    return _type_of_last(expression.right, schema, library)


def join_words(words: Sequence[str], conjunction: str) -> str:
    """Return "A", "A or B", "A, B or C"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
