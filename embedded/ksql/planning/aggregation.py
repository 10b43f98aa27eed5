"""GROUP BY: the grouping keys, the aggregate calls, and what may be said about a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from embedded.ksql.errors import KsqlError, ServerError, StatementError
from embedded.ksql.expressions.typing import type_of
from embedded.ksql.functions.aggregate_registry import NotConstantError
from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.errors import (
    ExecutionError,
    GenericExecutionError,
    join_words,
    typed_predicate,
    typed_selection,
)
from embedded.ksql.planning.plan import (
    Aggregate,
    AggregateCall,
    Filter,
    NamedExpression,
    Plan,
    Source,
    Suppress,
    TypedExpression,
    WindowInfo,
    WindowSpec,
)
from embedded.ksql.planning.resolution import WINDOW_COLUMNS, Selected, window_columns_in
from embedded.ksql.planning.stage import KeyPart, Stage, is_keyed_by
from embedded.ksql.planning.substitution import substitute
from embedded.ksql.types import Column, Schema

_DAY_MS = 86_400_000
#: Aggregates whose state ksqlDB keeps as one scalar value.
_SCALAR_STATES = frozenset({"COUNT", "SUM", "MIN", "MAX"})
_LITERALS = (ast.BooleanLiteral, ast.IntegerLiteral, ast.LongLiteral, ast.DoubleLiteral, ast.DecimalLiteral)


def aggregates_in(expression: ast.Expression, library: FunctionLibrary) -> list[ast.FunctionCall]:
    """Return the aggregate calls within an expression, outermost first."""
    return [part for part in walk(expression) if isinstance(part, ast.FunctionCall) and library.is_aggregate(part.name)]


@dataclass(slots=True)
class Grouping:
    """Rewrites expressions over rows into expressions over groups, and collects the aggregate calls they need."""

    plan: Plan
    is_table: bool
    library: FunctionLibrary
    expressions: tuple[ast.Expression, ...]
    windowed: bool
    key_names: list[str] = field(default_factory=list)
    calls: dict[ast.FunctionCall, AggregateCall] = field(default_factory=dict)
    streams_only: list[str] = field(default_factory=list)  # aggregates that a table cannot have

    def __post_init__(self) -> None:
        for index, expression in enumerate(self.expressions):
            is_column = isinstance(expression, ast.ColumnReference)
            self.key_names.append(expression.name if is_column else f"KSQL_KEY_{index}")  # type: ignore[union-attr]

    def over_group(self, expression: ast.Expression) -> ast.Expression:
        """Return the expression over the aggregation's output."""
        return substitute(expression, self._replaced)

    def leftovers(self, expression: ast.Expression) -> bool:
        """Whether the rewritten expression still speaks of columns that a group does not have."""
        allowed = {*self.key_names, *(call.name for call in self.calls.values())}
        if self.windowed:
            allowed |= WINDOW_COLUMNS
        return any(isinstance(part, ast.ColumnReference) and part.name not in allowed for part in walk(expression))

    def _replaced(self, part: ast.Expression) -> ast.Expression | None:
        for name, expression in zip(self.key_names, self.expressions, strict=True):
            if part == expression:
                return ast.ColumnReference(name)
        if isinstance(part, ast.FunctionCall) and self.library.is_aggregate(part.name):
            if part not in self.calls:
                self.calls[part] = self._call(part)
            return ast.ColumnReference(self.calls[part].name)
        return None

    def _call(self, call: ast.FunctionCall) -> AggregateCall:
        for inner in aggregates_in(call, self.library)[1:]:
            raise StatementError(f"Aggregate functions can not be nested: {call.name}({inner.name}())")
        schema = self.plan.schema
        arguments = tuple(typed_selection(argument, schema, self.library) for argument in call.arguments)
        try:
            resolved = self.library.resolve_aggregate(
                call.name, [argument.type for argument in arguments], constants_of(call.arguments)
            )
        except NotConstantError as error:
            text = format_expression(call.arguments[error.position - 1])
            raise StatementError(f"{error.message}: '{text}'") from None
        if self.is_table and not resolved.supports_undo and call.name not in self.streams_only:
            self.streams_only.append(call.name)
        return AggregateCall(f"KSQL_AGG_VARIABLE_{len(self.calls)}", call.name, arguments, resolved.returns)


def constants_of(arguments: Sequence[ast.Expression]) -> list[object]:
    """Return the values of the literal arguments at the end of an aggregate's; its first argument is never one."""
    found: list[object] = []
    for argument in reversed(arguments[1:]):
        value = argument.operand if isinstance(argument, ast.Negation) else argument
        if not isinstance(value, (*_LITERALS, ast.StringLiteral)):
            break
        found.insert(0, -value.value if isinstance(argument, ast.Negation) else value.value)  # type: ignore[operator]
    return found


def plan_aggregation(
    stage: Stage,
    query: ast.Query,
    group_by: tuple[ast.Expression, ...],
    having: ast.Expression | None,
    select: Sequence[Selected],
    library: FunctionLibrary,
) -> tuple[Stage, list[Selected]]:
    """Return the aggregation, and the select list over its output. The expressions are resolved ones.

    Raises StatementError for what is neither grouped nor aggregated.
    """
    _check_grouping(stage, query, group_by, having, select, library)
    grouping = Grouping(stage.plan, stage.is_table, library, group_by, query.window is not None)
    rewritten = [Selected(item.name, grouping.over_group(item.expression)) for item in select]
    wrong = [
        format_expression(item.expression)
        for item, over_group in zip(select, rewritten, strict=True)
        if grouping.leftovers(over_group.expression)
    ]
    if wrong:
        raise _not_grouped(wrong)
    over_group = _having(grouping, having)
    late: list[KsqlError] = [*_wrong_windows(stage, query, group_by), *_wrong_on_tables(grouping.streams_only)]
    if not grouping.calls:
        raise StatementError("GROUP BY requires aggregate functions in either the SELECT or HAVING clause.")
    plan = _aggregate(stage, query, grouping, library)
    if over_group is not None:
        try:
            plan = Filter(plan, _typed_having(over_group, plan.schema, grouping), plan.schema, is_table=True)
        except ExecutionError as error:
            late.append(error)
    late += _nested_states(stage.plan, grouping)
    parts = tuple(
        KeyPart((ast.ColumnReference(name),), (format_expression(expression),), name)
        for name, expression in zip(grouping.key_names, group_by, strict=True)
    )
    window = _window_info(query.window)
    return Stage(plan, parts, "grouping expression", True, window, late=(*stage.late, *late)), rewritten


def _typed_having(condition: ast.Expression, schema: Schema, grouping: Grouping) -> TypedExpression:
    """Type the condition. Raises StatementError that names the aggregates as they are written."""
    try:
        return typed_predicate("HAVING", condition, schema, grouping.library)
    except StatementError as error:
        for written, call in grouping.calls.items():
            error.message = error.message.replace(call.name, format_expression(written))
        raise


def _wrong_windows(stage: Stage, query: ast.Query, group_by: tuple[ast.Expression, ...]) -> list[StatementError]:
    if query.window is not None and stage.is_table:
        return [StatementError("Windowing not supported for table aggregations.")]
    if stage.window is not None and is_keyed_by(stage, group_by):
        return [StatementError("Group by on windowed should always require rekey")]
    return []


def _wrong_on_tables(names: Sequence[str]) -> list[StatementError]:
    if not names:
        return []
    plural = "s" if len(names) > 1 else ""
    return [
        StatementError(
            f"The aggregation function{plural} {join_words(names, 'and')} cannot be applied to a table source, "
            "only to a stream source."
        )
    ]


def _nested_states(plan: Plan, grouping: Grouping) -> list[GenericExecutionError]:
    """Return the error for aggregates whose state is no scalar, over a source in the DELIMITED format."""
    sources = [part for part in walk(plan) if isinstance(part, Source)]
    flat = all(call.function in _SCALAR_STATES for call in grouping.calls.values())
    if flat or all(source.value_format.name != "DELIMITED" for source in sources):
        return []
    return [
        GenericExecutionError(
            "One of the functions used in the statement has an intermediate type that the value format can not handle. "
            "Please remove the function or change the format.\n"
            "Consider up-voting https://github.com/confluentinc/ksql/issues/3950, which will resolve this limitation"
        )
    ]


def _not_grouped(expressions: Sequence[str]) -> StatementError:
    return StatementError(
        f"Non-aggregate SELECT expression(s) not part of GROUP BY: {', '.join(expressions)}\n"  # noqa: S608  # a message
        "Either add the column(s) to the GROUP BY or remove them from the SELECT."
    )


def refuse_aggregates_without_grouping(
    select: Sequence[Selected], library: FunctionLibrary, kind: ast.SourceKind | None
) -> None:
    """Raise StatementError if there is an aggregate although the query, which makes such a source, has no GROUP BY."""
    calls = [call for item in select for call in aggregates_in(item.expression, library)]
    if not calls:
        return
    plain = [item for item in select if not aggregates_in(item.expression, library)]
    if plain:
        raise _not_grouped([format_expression(item.expression) for item in plain])
    if kind is not None:
        texts = ", ".join(format_expression(call).replace("(*)", "(ROWTIME)") for call in calls)
        raise StatementError(
            f"CREATE {kind} AS SELECT statement does not support aggregate function [{texts}] "
            "without a GROUP BY clause."
        )
    names = ", ".join(dict.fromkeys(call.name for call in calls))
    raise StatementError(f"Use of aggregate functions requires a GROUP BY clause. Aggregate function(s): {names}")


def _check_grouping(  # the parts of one query
    stage: Stage,
    query: ast.Query,
    group_by: tuple[ast.Expression, ...],
    having: ast.Expression | None,
    select: Sequence[Selected],
    library: FunctionLibrary,
) -> None:
    aggregated = [
        argument for item in select for call in aggregates_in(item.expression, library) for argument in call.arguments
    ]
    for expression in (*group_by, *aggregated, *([having] if having is not None else [])):
        for column in window_columns_in(expression) if query.window is not None else ():
            raise StatementError(
                f"Window bounds column {column} can only be used in the SELECT clause of windowed aggregations and can "
                "not be passed to aggregate functions.\nSee https://github.com/confluentinc/ksql/issues/4397"
            )
    for expression in group_by:
        for call in aggregates_in(expression, library):
            raise StatementError(
                f"GROUP BY does not support aggregate functions: {call.name} is an aggregate function."
            )
        if type_of(expression, stage.plan.schema, library) is None:
            raise StatementError(f"GROUP BY does not support {format_expression(expression)}.")
    mentioned = [item.expression for item in select] + ([having] if having is not None else [])
    _refuse_unknown_functions(mentioned, library)
    if not any(aggregates_in(expression, library) for expression in mentioned):
        raise StatementError("GROUP BY requires aggregate functions in either the SELECT or HAVING clause.")


def _refuse_unknown_functions(expressions: Sequence[ast.Expression], library: FunctionLibrary) -> None:
    for expression in expressions:
        for part in walk(expression):
            if isinstance(part, ast.FunctionCall) and not (
                library.exists(part.name) or library.is_aggregate(part.name)
            ):
                raise StatementError(f"Can't find any functions with the name '{part.name}'")


def _having(grouping: Grouping, having: ast.Expression | None) -> ast.Expression | None:
    if having is None:
        return None
    over_group = grouping.over_group(having)
    if grouping.leftovers(over_group):
        columns = [part for part in walk(having) if isinstance(part, ast.ColumnReference)]
        wrong = [format_expression(column) for column in columns if grouping.leftovers(grouping.over_group(column))]
        raise StatementError(
            f"Non-aggregate HAVING expression not part of GROUP BY: {', '.join(dict.fromkeys(wrong))}\n"
            "Consider switching the HAVING clause to a WHERE clause before the GROUP BY."
        )
    return over_group


def _aggregate(stage: Stage, query: ast.Query, grouping: Grouping, library: FunctionLibrary) -> Plan:
    keys = tuple(
        NamedExpression(name, typed_selection(expression, stage.plan.schema, library))
        for name, expression in zip(grouping.key_names, grouping.expressions, strict=True)
    )
    calls = tuple(grouping.calls.values())
    key_columns = tuple(Column(key.name, key.value.type) for key in keys if key.value.type is not None)
    schema = Schema(key_columns, tuple(Column(call.name, call.type) for call in calls))
    window = window_spec(query.window) if query.window is not None else None
    plan: Plan = Aggregate(stage.plan, keys, (), calls, window, schema, stage.is_table)
    if query.emit == "FINAL":
        if window is None:
            raise StatementError("EMIT FINAL is only supported for windowed aggregations.")
        plan = Suppress(plan, schema)
    return plan


def window_spec(window: ast.Window) -> WindowSpec:
    """Return a window clause in milliseconds. Raises StatementError for an empty window."""
    size = window.size.milliseconds
    if size <= 0:
        raise StatementError("Gap must be positive" if window.kind == "SESSION" else "Size must be positive")
    if window.advance is not None and window.advance.milliseconds <= 0:
        raise StatementError("Advance must be positive")
    return WindowSpec(
        window.kind,
        size,
        window.advance.milliseconds if window.advance else None,
        window.retention.milliseconds if window.retention else None,
        window.grace.milliseconds if window.grace else None,
    )


def check_window(window: WindowSpec, *, final: bool) -> None:
    """Raise ServerError for a window that ksqlDB finds impossible only when it starts the query."""
    size = window.size_ms
    if window.advance_ms is not None and window.advance_ms > size:
        raise ServerError(
            f"Window advancement interval should be more than zero and less than window duration which is {size} ms, "
            f"but given advancement interval is: {window.advance_ms} ms"
        )
    default_grace = 0 if final else max(_DAY_MS - size, 0)
    grace = window.grace_ms if window.grace_ms is not None else default_grace
    if window.retention_ms is None or window.retention_ms >= size + grace:
        return
    if window.kind == "SESSION":
        raise ServerError(
            "The retention period of the session store Aggregate-Prepare must be no smaller than the session "
            f"inactivity gap plus the grace period. Got gap=[{size}], grace=[{grace}], "
            f"retention=[{window.retention_ms}]"
        )
    raise ServerError(
        "The retention period of the window store Aggregate-Prepare must be no smaller than its window size plus the "
        f"grace period. Got size=[{size}], grace=[{grace}], retention=[{window.retention_ms}]"
    )


def _window_info(window: ast.Window | None) -> WindowInfo | None:
    if window is None:
        return None
    return WindowInfo(window.kind, None if window.kind == "SESSION" else window.size.milliseconds)
