"""INSERT INTO … VALUES: what a statement says of one record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.expressions.compiler import compile_row_function
from embedded.ksql.expressions.scope import PSEUDO_COLUMNS
from embedded.ksql.expressions.typing import type_of
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_text import text_of
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.functions.strict_coercion import coerced
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression, format_statement
from embedded.ksql.language.rewriting import walk
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.catalog import Catalog, DeclaredSource
from embedded.ksql.planning.plan import TypedExpression
from embedded.ksql.runtime.record_writer import Values
from embedded.ksql.types import BIGINT, Base, Schema, SqlType

ROWTIME = "ROWTIME"
_NOTHING = Schema((), ())
_ANY_ROW = Row(None, (), 0)
_TIME_HINTS = {
    Base.TIMESTAMP: ". Timestamp format must be yyyy-mm-ddThh:mm:ss[.S]",
    Base.TIME: ". Time format must be hh:mm:ss[.S]",
    Base.DATE: ". Date format must be yyyy-mm-dd",
}


def target_of(name: str, catalog: Catalog) -> DeclaredSource:
    """Return what is to be inserted into. Raises KsqlError if there is no such thing, or it takes no records."""
    source = catalog.source(name)
    if source is None:
        raise KsqlError(f"Cannot insert values into an unknown stream/table: `{name}`{_other_case(name, catalog)}")
    if source.window is not None:
        raise KsqlError("Cannot insert values into windowed stream/table!")
    if source.read_only:
        raise KsqlError(f"Cannot insert values into read-only {source.kind.lower()}: {name}")
    return source


def _other_case(name: str, catalog: Catalog) -> str:
    """Return a hint at a source whose name differs in its case only."""
    for known in catalog.sources:
        if known.upper() == name.upper():
            if known == known.upper():
                return f"\nDid you mean {known}? Hint: try removing double quotes from the source name."
            return f'\nDid you mean "{known}"? Hint: wrap the source name in double quotes to make it case-sensitive.'
    return ""


def check_values(statement: ast.InsertValues, source: DeclaredSource) -> Values:
    """Return the columns that the statement gives. Raises StatementError if values do not fit them."""
    _check_columns(statement, source)
    try:
        return _values(statement, source)
    except StatementError as error:
        message = f"Failed to insert values into '{source.name}'. {error.message}"
        raise StatementError(message, statement_text=format_statement(statement)) from error


def _check_columns(statement: ast.InsertValues, source: DeclaredSource) -> None:
    """Raise StatementError for columns that no value can be given to, or not as many values."""
    headers = [column.name for column in source.schema.value if column.header is not None]
    wrong = [name for name in statement.columns if name in headers] if statement.columns else headers
    if wrong:
        raise StatementError(f"Cannot insert into HEADER columns: {', '.join(wrong)}")
    if statement.columns and len(statement.columns) != len(statement.values):
        counts = f"{len(statement.columns)}, {len(statement.values)}"
        raise StatementError(f"Failed to prepare statement: Expected number columns and values to match: {counts}")
    for part in walk(statement.values):
        if isinstance(part, ast.ColumnReference) and part.qualifier is not None:
            raise StatementError(
                f"Failed to prepare statement: '{part.qualifier}' is not a valid stream/table name or alias."
            )


def _values(statement: ast.InsertValues, source: DeclaredSource) -> Values:
    schema = source.schema
    columns = (*schema.key, *schema.payload)
    known = {column.name: column.type for column in columns} | {ROWTIME: BIGINT}
    names = statement.columns or tuple(column.name for column in columns)
    if len(names) != len(statement.values):
        # ksqlDB lists the columns that the statement names: none, where it comes to count the values.
        given_values = ", ".join(map(format_expression, statement.values))
        raise StatementError(f"Expected a value for each column. Expected Columns: []. Got [{given_values}]")
    for name in names:
        if name in PSEUDO_COLUMNS and name != ROWTIME:
            raise StatementError(f"Inserting into column `{name}` is not allowed.")
        if name not in known:
            raise StatementError(f"Column name `{name}` does not exist.")
    pairs = zip(names, statement.values, strict=True)
    given = {name: _evaluated(expression, name, known[name]) for name, expression in pairs}
    missing = [column.name for column in schema.key if column.name not in given]
    if source.kind == "TABLE" and missing:
        raise StatementError(f"Value for primary key column(s) {', '.join(missing)} is required for tables")
    key = tuple(given.get(column.name) for column in schema.key)
    value = tuple(given.get(column.name) for column in schema.payload)
    return Values(key, value, given.get(ROWTIME))


def _evaluated(expression: ast.Expression, name: str, target: SqlType) -> Any:
    if any(isinstance(part, ast.ColumnReference) for part in walk(expression)):
        raise StatementError(f"Unsupported column reference in insert value: {format_expression(expression)}")
    kind = type_of(expression, _NOTHING, LIBRARY)
    if kind is None:
        return None
    typed: Sequence[TypedExpression] = [TypedExpression(expression, kind)]
    (value,) = compile_row_function(typed, _NOTHING, LIBRARY, failures=_no_reason)(_ANY_ROW)
    try:
        return coerced(value, kind, target)
    except (EvaluationError, ValueError) as error:
        hint = _TIME_HINTS.get(target.base, "") if kind.base is Base.STRING else ""
        got = f"{kind.base.value}({text_of(value, kind)})"
        raise StatementError(f"Expected type {target} for field `{name}` but got {got}{hint}") from error


def _no_reason(_row: Row, _message: str) -> None:
    """Refuse the statement: ksqlDB does not say why an expression fails."""
    raise StatementError("")
