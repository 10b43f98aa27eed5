"""Which joins there are: what may be joined to what, on what."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.ksql.errors import StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.planning.plan import TypedExpression
from embedded.ksql.planning.source_names import AliasedSource, SourceNames
from embedded.ksql.planning.stage import Stage

_VISIT = (
    "To learn about how to specify a WITHIN clause with a stream-stream join, please visit: "
    "https://docs.confluent.io/current/ksql/docs/syntax-reference.html#create-stream-as-select"
)
_UNNEEDED = (
    "A window definition was provided for a {0} join. These joins are not windowed. Please drop the window definition "
    "({1} the WITHIN clause) and try to execute your {2} again."
)


@dataclass(frozen=True, slots=True)
class Side:
    """One input of a join: its plan so far, the sources in it, and the expression it is joined on."""

    stage: Stage
    sources: tuple[AliasedSource, ...]
    on: ast.Expression  # as written, with aliases
    key: TypedExpression  # over the plan's columns

    @property
    def is_on_key(self) -> bool:
        """Whether the expression is the input's key already."""
        return len(self.stage.keys) == 1 and self.key.expression in self.stage.keys[0].expressions


def check_join_sources(names: SourceNames) -> None:
    """Raise StatementError for a source joined to itself, or windowed ones among others."""
    seen: dict[str, AliasedSource] = {}
    for source in names.sources:
        if source.source.name in seen:
            raise StatementError(
                f"Can not join '{source.source.name}' to '{source.source.name}': self joins are not yet supported."
            )
        seen[source.source.name] = source
    first = names.sources[0]
    for other in names.sources[1:]:
        if (first.source.window is None) != (other.source.window is None):
            described = "\n".join(_windowing(source) for source in (first, other))
            raise StatementError(f"Can not join windowed source to non-windowed source.\n{described}")
    if len(names.sources) > 1 and first.source.window is not None:
        raise StatementError("Joins of windowed sources are not supported: declare the streams without WINDOW_TYPE.")


def _windowing(source: AliasedSource) -> str:
    window = source.source.window
    return f"`{source.alias}` is {'not' if window is None else window.kind} windowed"


def _got(left: Side, right: Side, join: ast.Join) -> str:
    outer = {"INNER": "JOIN", "LEFT": "LEFT OUTER JOIN", "RIGHT": "RIGHT OUTER JOIN", "FULL": "[FULL] OUTER JOIN"}
    return f"Got {left.sources[-1].alias} {outer[join.kind]} {right.sources[0].alias}."


def check_join_kind(join: ast.Join, left: Side, right: Side) -> None:
    """Raise StatementError if ksqlDB has no such join of two inputs."""
    condition = f"Got {format_expression(left.on)} = {format_expression(right.on)}."
    match left.stage.is_table, right.stage.is_table:
        case False, False:
            if join.within is None:
                raise StatementError(
                    f"Stream-Stream joins must have a WITHIN clause specified. None was provided. {_VISIT}"
                )
        case True, False:
            raise StatementError(
                "Invalid join order: table-stream joins are not supported; only stream-table joins. "
                f"{_got(left, right, join)}"
            )
        case False, True:
            _check_stream_table(join, left, right, condition)
        case _:
            _check_table_table(join, left, right, condition)


def _check_stream_table(join: ast.Join, left: Side, right: Side, condition: str) -> None:
    if join.within is not None:
        raise StatementError(_UNNEEDED.format("Stream-Table", "ie.", "join"))
    if join.kind in {"FULL", "RIGHT"}:
        what = "full-outer" if join.kind == "FULL" else "right-outer"
        raise StatementError(
            f"Invalid join type: {what} join not supported for stream-table join. {_got(left, right, join)}"
        )
    if not right.is_on_key:
        raise StatementError(
            f"Invalid join condition: stream-table joins require to join on the table's primary key. {condition}"
        )


def _check_table_table(join: ast.Join, left: Side, right: Side, condition: str) -> None:
    if join.within is not None:
        raise StatementError(_UNNEEDED.format("Table-Table", "i.e.", "Table-Table join"))
    if not right.is_on_key:
        raise StatementError(
            "Invalid join condition: table-table joins require to join on the primary key of the right input table. "
            f"{condition}"
        )
    if left.is_on_key:
        return
    if join.kind in {"FULL", "RIGHT"}:
        what = "full-outer" if join.kind == "FULL" else "right-outer"
        raise StatementError(
            f"Invalid join type: {what} join not supported for foreign-key table-table join. {_got(left, right, join)}"
        )


def check_partitions(left: Side, right: Side) -> None:
    """Raise StatementError if the two inputs have different numbers of partitions."""
    one, two = left.sources[0], right.sources[0]
    if one.source.partitions != two.source.partitions:
        raise StatementError(
            f"Can't join `{one.alias}` with `{two.alias}` since the number of partitions don't match. "
            f"`{one.alias}` partitions = {one.source.partitions}; `{two.alias}` partitions = {two.source.partitions}. "
            "Please repartition either one so that the number of partitions match."
        )
