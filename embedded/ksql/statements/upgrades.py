"""What CREATE OR REPLACE may change: ksqlDB's rules for sources and for the queries that make them."""

from __future__ import annotations

from collections.abc import Sequence

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.planning.catalog import DeclaredSource
from embedded.ksql.planning.plan import Aggregate, AggregateCall, Filter, Format, Plan, Project, Sink, Source
from embedded.ksql.types import Column, Schema


def check_source(old: DeclaredSource, new: DeclaredSource) -> None:
    """Raise StatementError if readers of the old source could not go on with the new one."""
    if old.kind != new.kind:
        raise _not_upgradeable(old, "type", f"K{old.kind}", f"K{new.kind}")
    if _topic(old) != _topic(new):
        raise _not_upgradeable(old, "topic", _topic(old), _topic(new))
    lost_keys = [column for column in old.schema.key if column not in new.schema.key]
    if lost_keys or len(old.schema.key) != len(new.schema.key):
        listed = ", ".join(f"`{column.name}` {column.type} KEY" for column in lost_keys or new.schema.key)
        reason = (
            f"Key columns must be identical. The following key columns are changed, missing or reordered: [{listed}]"
        )
        raise _not_upgradeable(old, "schema", _schema(old.schema), _schema(new.schema), reason)
    lost = _lost(old.schema.value, new.schema.value)
    if lost:
        listed = ", ".join(f"`{column.name}` {column.type}" for column in lost)
        reason = f"The following columns are changed, missing or reordered: [{listed}]"
        raise _not_upgradeable(old, "schema", _schema(old.schema), _schema(new.schema), reason)


def check_query(old: Sink, new: Sink) -> None:
    """Raise KsqlError if the new query cannot go on with the old one's state.

    Filters and projections of streams keep no state: they may come, go and change.
    """
    before, after = _steps(old.input), _steps(new.input)
    for one, other in zip(before, after, strict=False):
        if _name(one) != _name(other):
            raise _query_error(
                one,
                "class",
                f"class io.confluent.ksql.execution.plan.{_name(one)}",
                f"class io.confluent.ksql.execution.plan.{_name(other)}",
            )
        _check_step(one, other)
    if len(before) != len(after):
        raise KsqlError("Query is not upgradeable. The number of plan steps differs.")


def _check_step(old: Plan, new: Plan) -> None:
    if isinstance(old, Aggregate) and isinstance(new, Aggregate):
        calls, changed = _calls(old.calls), _calls(new.calls)
        if calls != changed:
            raise _query_error(old, "aggregate functions", calls, changed)
        keys, other_keys = _keys(old), _keys(new)
        if keys != other_keys:
            raise _query_error(old, "group by expressions", keys, other_keys)
        if old.window != new.window:
            raise _query_error(old, "window expression", str(old.window), str(new.window))
    elif isinstance(old, Source) and isinstance(new, Source):
        if (old.name, old.topic) != (new.name, new.topic):
            raise _query_error(old, "source", old.name, new.name)
    elif not isinstance(old, Project | Filter) and old.schema != new.schema:
        raise _query_error(old, "schema", _schema(old.schema), _schema(new.schema))


def _steps(plan: Plan) -> list[Plan]:
    """Return the steps that keep state or make it, from the sink down to the sources."""
    keeps_nothing = isinstance(plan, Project) or (isinstance(plan, Filter) and not plan.is_table)
    inputs = [getattr(plan, name) for name in ("input", "left", "right") if hasattr(plan, name)]
    below = [step for part in inputs for step in _steps(part)]
    return below if keeps_nothing else [plan, *below]


def _name(step: Plan) -> str:
    match step:
        case Aggregate(is_table=True):
            return "TableAggregate"
        case Aggregate(window=None):
            return "StreamAggregate"
        case Aggregate():
            return "StreamWindowedAggregate"
        case Filter():
            return "TableFilter"
        case Source():
            windowed = "Windowed" if step.window is not None else ""
            return f"{windowed}{step.kind.capitalize()}Source"
        case _:
            return type(step).__name__


def _calls(calls: Sequence[AggregateCall]) -> str:
    # ksqlDB counts rows by their time.
    return _listed(
        f"{call.function}({', '.join(format_expression(one.expression) for one in call.arguments) or 'ROWTIME'})"
        for call in calls
    )


def _keys(step: Aggregate) -> str:
    return _listed(format_expression(key.value.expression) for key in step.keys)


def _listed(parts: object) -> str:
    return f"[{', '.join(parts)}]"  # type: ignore[arg-type]


def _query_error(step: Plan, what: str, old: str, new: str) -> KsqlError:
    return KsqlError(
        f"Query is not upgradeable. Plan step of type {_name(step)} must have matching {what}. "
        f"Values differ: {old} vs. {new}"
    )


def _lost(old: tuple[Column, ...], new: tuple[Column, ...]) -> list[Column]:
    """Return the columns that are not where they were."""
    return [column for index, column in enumerate(old) if index >= len(new) or new[index] != column]


def _not_upgradeable(source: DeclaredSource, what: str, old: str, new: str, reason: str = "") -> StatementError:
    message = (
        f"Cannot upgrade data source: DataSource '`{source.name}`' has {what} = {old} which is not upgradeable to {new}"
    )
    return StatementError(f"{message}. ({reason})" if reason else message)


def _schema(schema: Schema) -> str:
    keys = [f"`{column.name}` {column.type} KEY" for column in schema.key]
    return ", ".join([*keys, *(f"`{column.name}` {column.type}" for column in schema.value)])


def _topic(source: DeclaredSource) -> str:
    window = "Optional.empty"
    if source.window is not None:
        size = source.window.size_ms
        shown = "Optional.empty" if size is None else f"Optional[{size}]"
        window = f"Optional[WindowInfo{{type={source.window.kind}, size={shown}, emitStrategy=CHANGES}}]"
    key, value = _format(source.key_format), _format(source.value_format)
    wrapping = "UNWRAP_SINGLES" if source.value_format.unwrapped else ""
    return (
        f"KsqlTopic{{kafkaTopicName='{source.topic}', keyFormat=KeyFormat{{format={key}, features=[], "
        f"window={window}}}, valueFormat=ValueFormat{{format={value}, features=[{wrapping}]}}}}"
    )


def _format(declared: Format) -> str:
    options = ", ".join(f"{name.lower()}={value}" for name, value in declared.options)
    return f"FormatInfo{{format={declared.name}, properties={{{options}}}}}"
