"""What ksqlDB asks of the condition of a pull query over a table.

It brings the condition into an OR of ANDs, of comparisons and LIKE only. The first of the alternatives that needs a
scan of the table ends the inspection; if none does, keys and bounds of windows must be values. NOT over LIKE is lost
there, and so here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from embedded.ksql.errors import StatementError
from embedded.ksql.expressions.comparability import OPERATOR_NAMES
from embedded.ksql.expressions.compiler import compile_row_function
from embedded.ksql.functions.interface import EvaluationError, FunctionLibrary
from embedded.ksql.functions.java_text import text_of
from embedded.ksql.functions.strict_coercion import coerced
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.language.rewriting import walk
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.errors import typed_selection
from embedded.ksql.types import Base, Column, Schema

HINT = " See https://cnfl.io/queries for more info.\nAdd EMIT CHANGES if you intended to issue a push query."
_BOUNDS = ("WINDOWSTART", "WINDOWEND")
_BOUND_OPERATORS = {"=", ">", ">=", "<", "<="}
_INVERTED = {"LESS_THAN": "GREATER_THAN", "GREATER_THAN": "LESS_THAN"}
_NEEDS = (
    "\nPull queries require a WHERE clause that:"
    "\n - includes a key equality expression, e.g. `SELECT * FROM X WHERE <key-column> = Y;`."
    "\n - in the case of a multi-column key, is a conjunction of equality expressions that cover all key columns."
    "\n - to support range expressions, e.g.,  SELECT * FROM X WHERE <key-column> < Y;`, range scans need to be enabled"
    " by setting ksql.query.pull.range.scan.enabled=true"
)
_WINDOW_NEEDS = (
    "\n - (optionally) limits the time bounds of the windowed table."
    "\n\t Bounds on [`WINDOWSTART`, `WINDOWEND`] are supported"
    "\n\t Supported operators are [EQUAL, GREATER_THAN, GREATER_THAN_OR_EQUAL, LESS_THAN, LESS_THAN_OR_EQUAL]"
)
_ELSE = (
    "\nIf more flexible queries are needed, , table scans can be enabled by setting"
    " ksql.query.pull.table.scan.enabled=true."
)
_NOTHING = Schema((), ())
_ANY_ROW = Row(None, (), 0)
_LITERALS = (ast.IntegerLiteral, ast.LongLiteral, ast.DoubleLiteral, ast.DecimalLiteral, ast.StringLiteral)


def alternatives(condition: ast.Expression) -> list[ast.Expression]:
    """Return the condition as ANDs of which one must hold."""
    return list(_disjuncts(_distributed(rewritten(condition))))


def rewritten(condition: ast.Expression) -> ast.Expression:
    """Return the condition that rows are asked: without IN, BETWEEN, and NOT over anything else than a comparison."""
    return _without_not(_simplified(condition), negated=False)


class Conditions:
    """Inspects conditions on the rows of one table."""

    def __init__(self, schema: Schema, library: FunctionLibrary, *, is_windowed: bool) -> None:
        self._keys = {column.name: column for column in schema.key}
        self._columns = {column.name: column for column in (*schema.key, *schema.value)}
        self._library, self._is_windowed = library, is_windowed

    def check(self, condition: ast.Expression) -> None:
        """Raise StatementError with ksqlDB's message if the condition is none for a pull query."""
        parts = alternatives(condition)
        if any(self._needs_scan(part) for part in parts):
            return
        for part in parts:
            comparisons = [one for one in _conjuncts(part) if isinstance(one, ast.Comparison)]
            for comparison in comparisons:
                column, other = _sides(comparison)
                if column is not None and column.name in self._keys:
                    self._check_key(comparison, self._keys[column.name], other)
            if self._is_windowed:
                self._check_bounds(comparisons)

    def _needs_scan(self, part: ast.Expression) -> bool:
        """Check what one alternative is made of; return whether it takes a scan."""
        pinned = set()
        scan = False
        for one in _conjuncts(part):
            if isinstance(one, ast.Comparison):
                column, other = _sides(one)
                if column is None or any(isinstance(inner, ast.ColumnReference) for inner in walk(other)):
                    scan = True
                elif self._is_bound(column.name, one.operator):
                    continue
                elif column.name in self._keys:
                    pinned.add(column.name)
                    scan = scan or one.operator in {"<>", "IS DISTINCT FROM", "IS NOT DISTINCT FROM"}
            elif isinstance(one, ast.Like):
                scan = self._check_like(one) or scan
            else:
                self._refuse(f"Unsupported expression in WHERE clause: {format_expression(one)}", windowed=False)
        return scan or pinned != set(self._keys)

    def _is_bound(self, name: str, operator: str) -> bool:
        if name not in _BOUNDS or name in self._columns:
            return False
        if operator not in _BOUND_OPERATORS:
            self._refuse(f"Unsupported `{name}` bounds: {OPERATOR_NAMES[operator]}", windowed=True)
        return True

    def _check_like(self, like: ast.Like) -> bool:
        if not isinstance(like.operand, ast.ColumnReference):
            return True
        column = self._columns.get(like.operand.name)
        if column is not None and column.type.base is not Base.STRING:
            kind = column.type.base.value
            self._refuse(f"The column type for Like condition must be VARCHAR. The column type is {kind}")
        if not isinstance(like.pattern, (ast.StringLiteral, ast.NullLiteral)):
            kind = type(like.pattern).__name__
            self._refuse(f"Like condition on non-string pattern io.confluent.ksql.execution.expression.tree.{kind}")
        return False

    def _check_key(self, comparison: ast.Comparison, key: Column, other: ast.Expression) -> None:
        typed = typed_selection(other, _NOTHING, self._library)
        value = None
        if typed.type is not None:
            (value,) = compile_row_function([typed], _NOTHING, self._library)(_ANY_ROW)
        if typed.type is None or value is None:
            raise StatementError(f"Primary key columns can not be NULL: {format_expression(comparison)}")
        try:
            coerced(value, typed.type, key.type)
        except (EvaluationError, ValueError) as error:
            text = text_of(value, typed.type)
            if isinstance(other, _LITERALS):
                named = f"{key.name} {key.type} KEY"
                reason = f"'{text}' can not be converted to the type of the key column: {named}"
            else:
                reason = f"Expected type {key.type} for field `{key.name}` but got {typed.type.base.value}({text})"
            raise StatementError(reason) from error

    def _check_bounds(self, comparisons: list[ast.Comparison]) -> None:
        found: dict[str, set[str]] = {name: set() for name in _BOUNDS}
        for comparison in comparisons:
            column, other = _sides(comparison)
            if column is None or column.name not in _BOUNDS:
                continue
            kind = typed_selection(other, _NOTHING, self._library).type
            if kind is None or kind.base not in {Base.INTEGER, Base.BIGINT}:
                self._refuse("Window bounds must resolve to an INT, BIGINT, or STRING containing a datetime.")
            bound = OPERATOR_NAMES[comparison.operator].removesuffix("_OR_EQUAL")
            if column is comparison.right:
                bound = _INVERTED.get(bound, bound)
            known = found[column.name]
            is_twice = bound in known
            known.add(bound)
            if "EQUAL" in known and len(known) > 1:
                text = format_expression(comparison)
                self._refuse(f"`{text}` cannot be combined with other `{column.name}` bounds")
            if is_twice:
                self._refuse(f"Duplicate `{column.name}` bounds on: {bound}")

    def _refuse(self, reason: str, *, windowed: bool | None = None) -> NoReturn:
        about_windows = _WINDOW_NEEDS if windowed or (windowed is None and self._is_windowed) else ""
        raise StatementError(f"{reason}. {HINT}{_NEEDS}{about_windows}{_ELSE}")


def _sides(comparison: ast.Comparison) -> tuple[ast.ColumnReference | None, ast.Expression]:
    """Return the column that is compared, the right one first, and the other side."""
    if isinstance(comparison.right, ast.ColumnReference):
        return comparison.right, comparison.left
    return (comparison.left if isinstance(comparison.left, ast.ColumnReference) else None), comparison.right


def _simplified(condition: ast.Expression) -> ast.Expression:
    """Return the condition with comparisons in place of IN and BETWEEN."""
    match condition:
        case ast.Logical(operator, left, right):
            return ast.Logical(operator, _simplified(left), _simplified(right))
        case ast.Not(operand):
            return ast.Not(_simplified(operand))
        case ast.InList(operand, items):
            made: ast.Expression = ast.Comparison("=", operand, items[-1])
            for item in reversed(items[:-1]):
                made = ast.Logical("OR", ast.Comparison("=", operand, item), made)
            return made
        case ast.Between(operand, low, high):
            return ast.Logical("AND", ast.Comparison(">=", operand, low), ast.Comparison("<=", operand, high))
        case _:
            return condition


def _without_not(condition: ast.Expression, *, negated: bool) -> ast.Expression:
    """Return the condition with NOT before columns, literals and comparisons only."""
    match condition:
        case ast.Logical(operator, left, right):
            swapped: Any = {"AND": "OR", "OR": "AND"}[operator] if negated else operator
            return ast.Logical(swapped, _without_not(left, negated=negated), _without_not(right, negated=negated))
        case ast.Not(operand):
            return _without_not(operand, negated=not negated)
        case ast.ColumnReference() | ast.BooleanLiteral() | ast.Comparison() if negated:
            return ast.Not(condition)
        case _:
            return condition


def _distributed(condition: ast.Expression) -> ast.Expression:
    """Return the condition with no OR below an AND."""
    if not isinstance(condition, ast.Logical):
        return condition
    left, right = _distributed(condition.left), _distributed(condition.right)
    if condition.operator == "AND":
        for one, other, is_left in ((left, right, True), (right, left, False)):
            if isinstance(one, ast.Logical) and one.operator == "OR":
                halves = [
                    _distributed(ast.Logical("AND", half, other) if is_left else ast.Logical("AND", other, half))
                    for half in (one.left, one.right)
                ]
                return ast.Logical("OR", *halves)
    return ast.Logical(condition.operator, left, right)


def _disjuncts(condition: ast.Expression) -> Iterator[ast.Expression]:
    if isinstance(condition, ast.Logical) and condition.operator == "OR":
        yield from _disjuncts(condition.left)
        yield from _disjuncts(condition.right)
    else:
        yield condition


def _conjuncts(condition: ast.Expression) -> Iterator[ast.Expression]:
    if isinstance(condition, ast.Logical):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition
