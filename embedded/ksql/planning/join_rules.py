"""Which joins there are: what may be joined to what, on what."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.ksql.errors import StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.plan import TypedExpression
from embedded.ksql.planning.source_names import AliasedSource, SourceNames
from embedded.ksql.planning.stage import Stage

IMPLICIT_REPARTITIONING = "Implicit repartitioning of windowed sources is not supported. See https://github.com/confluentinc/ksql/issues/4385."
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
        if len(self.stage.keys) != 1:
            return False
        (key,) = self.stage.keys
        return self.key.expression in key.expressions or self.key.expression in key.equal


def check_join_sources(names: SourceNames) -> None:
    """Raise StatementError for a source joined to itself, or windowed ones among others."""
    seen: dict[str, AliasedSource] = {}
    for source in names.sources:
        if source.source.name in seen:
            if len(names.sources) > 2:  # noqa: PLR2004 - more than a pair
                raise StatementError(
                    "N-way joins do not support multiple occurrences of the same source. "
                    f"Source: '{source.source.name}'"
                )
            raise StatementError(
                f"Can not join '{source.source.name}' to '{source.source.name}': self joins are not yet supported."
            )
        seen[source.source.name] = source
    first = names.sources[0]
    for other in names.sources[1:]:
        if (first.source.window is None) != (other.source.window is None):
            described = "\n".join(_windowing(source) for source in (first, other))
            raise StatementError(f"Can not join windowed source to non-windowed source.\n{described}")
        if (first.source.window is None or other.source.window is None) or (
            (first.source.window.kind == "SESSION") is (other.source.window.kind == "SESSION")
        ):
            continue
        raise StatementError(
            f"Incompatible windowed sources.\nLeft source: {first.source.window.kind}\n"
            f"Right source: {other.source.window.kind}\n"
            "Session windowed sources can only be joined to other session windowed sources, and may still not result "
            "in expected behaviour as session bounds must be an exact match for the join to work\n"
            "Hopping and tumbling windowed sources can only be joined to other hopping and tumbling windowed sources"
        )


def late_errors(join: ast.Join, left: Side, right: Side, *, foreign_key: bool) -> tuple[StatementError, ...]:
    """Return what is wrong with a join that could be planned, the first first."""
    found = [] if foreign_key else _wrong_partitions(left, right)
    kinds = left.stage.is_table, right.stage.is_table
    match kinds:
        case False, False:
            if join.within is None:
                found.append(f"Stream-Stream joins must have a WITHIN clause specified. None was provided. {_VISIT}")
        case False, _:
            found += [_UNNEEDED.format("Stream-Table", "ie.", "join")] if join.within is not None else []
        case _:
            found += [_UNNEEDED.format("Table-Table", "i.e.", "Table-Table join")] if join.within is not None else []
    one, two = left.stage.window, right.stage.window
    if one is not None and (one != two or not (left.is_on_key and right.is_on_key)):
        found.append(IMPLICIT_REPARTITIONING)
    if join.kind == "RIGHT" and kinds == (False, True):
        found.append("Invalid join type encountered: RIGHT [OUTER] JOIN")
    if join.kind == "RIGHT" and foreign_key:
        found.append("RIGHT OUTER JOIN on a foreign key is not supported")
    return tuple(StatementError(message) for message in found)


def _windowing(source: AliasedSource) -> str:
    window = source.source.window
    return f"`{source.alias}` is {'not' if window is None else window.kind} windowed"


def _got(left: Side, right: Side, join: ast.Join) -> str:
    words = {"INNER": "[INNER]", "LEFT": "LEFT [OUTER]", "RIGHT": "RIGHT [OUTER]", "FULL": "[FULL] OUTER"}
    one, two = (_joined_source(side) for side in (left, right))
    return f"Got {one} {words[join.kind]} JOIN {two}."


def _joined_source(side: Side) -> str:
    """Return the name of the source whose columns the side is joined on."""
    mentioned = {part.qualifier for part in walk(side.on) if isinstance(part, ast.ColumnReference)}
    return next(source.source.name for source in side.sources if source.alias in mentioned)


def check_join_kind(join: ast.Join, left: Side, right: Side) -> None:
    """Raise StatementError if ksqlDB has no such join of two inputs."""
    condition = f"Got {format_expression(join.condition)[1:-1]}."
    match left.stage.is_table, right.stage.is_table:
        case False, False:
            return
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
    if join.kind == "FULL":
        raise StatementError(
            f"Invalid join type: full-outer join not supported for stream-table join. {_got(left, right, join)}"
        )
    if not right.is_on_key:
        raise StatementError(
            f"Invalid join condition: stream-table joins require to join on the table's primary key. {condition}"
        )


def _check_table_table(join: ast.Join, left: Side, right: Side, condition: str) -> None:
    if not right.is_on_key:
        raise StatementError(
            "Invalid join condition: table-table joins require to join on the primary key of the right input table. "
            f"{condition}"
        )
    if left.key.type != right.key.type:
        one, two = (f"{format_expression(side.on)}{{{side.key.type}}}" for side in (left, right))
        raise StatementError(f"Invalid join condition: types don't match. Got {one} = {two}.")
    if join.kind == "FULL" and not left.is_on_key:
        raise StatementError(
            "Invalid join type: full-outer join not supported for foreign-key table-table join. "
            f"{_got(left, right, join)}"
        )


def check_criteria(query: ast.Query, names: SourceNames) -> None:
    """Raise StatementError for a condition of any of the joins that ksqlDB does not have."""
    for index, join in enumerate(query.joins, start=1):
        criteria(join, names.sources[:index], (names.sources[index],))


def criteria(
    join: ast.Join, left: tuple[AliasedSource, ...], right: tuple[AliasedSource, ...]
) -> tuple[ast.Expression, ast.Expression]:
    """Return what the left and the right input are joined on. Raises StatementError for other conditions."""
    condition = join.condition
    if isinstance(condition, ast.Logical):
        raise StatementError(
            "Invalid join condition: joins on multiple conditions are not yet supported. "
            f"Got {format_expression(condition)}."
        )
    if not isinstance(condition, ast.Comparison) or condition.operator != "=":
        raise StatementError("Only equality join criteria is supported.")
    one, two = (_only_source(side, condition) for side in (condition.left, condition.right))
    if one == two:
        raise StatementError(
            "Each side of the join must reference exactly one source and not the same source. "
            f"Left side references `{one}` and right references `{two}`"
        )
    lefts, joined = {source.alias for source in left}, right[0].alias
    if one in lefts and two == joined:
        return condition.left, condition.right
    if one == joined and two in lefts:
        return condition.right, condition.left
    raise StatementError(
        f"A join criteria is expected to reference the source (`{joined}`) in the FROM clause, instead the right "
        f"source references `{two}` and the left source references `{one}`"
    )


def _only_source(side: ast.Expression, condition: ast.Comparison) -> str:
    found = {part.qualifier for part in walk(side) if isinstance(part, ast.ColumnReference) and part.qualifier}
    if len(found) != 1:
        raise StatementError(
            f"Invalid comparison expression '{format_expression(side)}' in join '{format_expression(condition)}'. "
            "Each side of the join comparision must contain references from exactly one source."
        )
    return found.pop()


def _wrong_partitions(left: Side, right: Side) -> list[str]:
    one, two = left.sources[0], right.sources[0]
    if one.source.partitions == two.source.partitions:
        return []
    message = (
        f"Can't join `{one.alias}` with `{two.alias}` since the number of partitions don't match. "
        f"`{one.alias}` partitions = {one.source.partitions}; `{two.alias}` partitions = {two.source.partitions}. "
        "Please repartition either one so that the number of partitions match."
    )
    return [message]
