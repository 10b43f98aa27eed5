"""Plans queries: persistent ones into a topic, and push queries to a client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedded.ksql.errors import StatementError
from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_expression
from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.aggregation import (
    aggregates_in,
    check_window,
    plan_aggregation,
    refuse_aggregates_without_grouping,
)
from embedded.ksql.planning.errors import ExecutionError, GenericExecutionError, typed_predicate
from embedded.ksql.planning.interface import CatalogView
from embedded.ksql.planning.joins import plan_joins
from embedded.ksql.planning.partitioning import everything_partitioned, plan_partitioning, with_needed_keys
from embedded.ksql.planning.plan import Aggregate, Filter, Format, Plan, Sink, Source
from embedded.ksql.planning.projection import check_reserved, check_types, project_result, project_rows, widened
from embedded.ksql.planning.pseudo_timestamps import with_parsed_times
from embedded.ksql.planning.resolution import (
    SYNTHETIC_KEY,
    WINDOW_COLUMNS,
    Resolver,
    Selected,
    expand,
    struct_fields,
    window_columns_in,
)
from embedded.ksql.planning.sanitize import sanitize_query
from embedded.ksql.planning.sink import SinkRequest, check_sink_formats, check_timestamp_exists, sink_settings
from embedded.ksql.planning.source_names import AliasedSource, SourceNames, sources_of
from embedded.ksql.planning.stage import KeyPart, Stage
from embedded.ksql.planning.table_functions import plan_table_functions, refuse_table_functions, table_functions_in
from embedded.ksql.types import Schema

_SCHEMA_ERROR = "Could not determine output schema for query due to error: "
_PREPARING = ("Exception while preparing statement: ", "Failed to prepare statement: ")


def plan_query(query: ast.Query, catalog: CatalogView, library: FunctionLibrary, *, sink: SinkRequest) -> Sink:
    """Plan the query of CREATE … AS or INSERT INTO.

    Raises KsqlError with ksqlDB's message; that of a CREATE … AS begins with "Could not determine output schema for
    query due to error: " where ksqlDB's does.
    """
    if sink.insert_into is not None and sink.insert_into.kind == "TABLE":
        raise StatementError(
            f"{_PREPARING[0]}INSERT INTO can only be used to insert into a stream. {sink.name} is a table."
        )
    try:
        plan = _persistent(query, catalog, library, sink)
    except (ExecutionError, GenericExecutionError):
        raise
    except StatementError as error:
        if sink.insert_into is not None or error.message.startswith(_PREPARING):
            raise
        raise StatementError(_SCHEMA_ERROR + error.message) from error
    _check_windows(plan.input, final=query.emit == "FINAL")
    return plan


def plan_push_query(query: ast.Query, catalog: CatalogView, library: FunctionLibrary) -> Sink:
    """Plan a SELECT … EMIT CHANGES: the sink's value columns are the selected columns in order, its topic None."""
    sanitized = sanitize_query(query, catalog)
    stage, select = _Planner(sanitized, catalog, library, None).plan()
    projection = project_rows(stage, select, library)
    for error in stage.late:
        raise error
    _check_windows(projection, final=query.emit == "FINAL")
    kind = "TABLE" if stage.is_table else "STREAM"
    none = Format("NONE")
    return Sink(projection, "", None, kind, projection.schema, none, none, stage.window)  # type: ignore[arg-type]


def _persistent(query: ast.Query, catalog: CatalogView, library: FunctionLibrary, request: SinkRequest) -> Sink:
    sanitized = sanitize_query(query, catalog)
    planner = _Planner(sanitized, catalog, library, request.kind)
    stage, select = planner.plan()
    check_types(select, stage.plan.schema, library)
    check_timestamp_exists(request, [item.name for item in select])
    projection = project_result(stage, select, library, request.name)
    if request.insert_into is not None:
        projection = widened(projection, request.insert_into.schema)
    schema = projection.schema
    if not schema.value:
        raise StatementError("The projection contains no value columns.")
    at_execution = [error for error in stage.late if isinstance(error, (ExecutionError, GenericExecutionError))]
    for error in stage.late:
        if error not in at_execution:
            raise error
    _check_result(request, stage)
    source = planner.names.sources[0].source
    settings = sink_settings(request, schema, source, keyless=stage.key_kind == "no key")
    if request.insert_into is not None:
        _check_target(schema, request.insert_into.schema)
    for error in at_execution:
        raise error
    if request.insert_into is None:
        check_sink_formats(settings, schema)
    return Sink(
        projection,
        request.name,
        settings.topic,
        "TABLE" if stage.is_table else "STREAM",
        schema,
        settings.key_format,
        settings.value_format,
        stage.window,
        settings.timestamp,
    )


def _check_result(request: SinkRequest, stage: Stage) -> None:
    kind = "TABLE" if stage.is_table else "STREAM"
    if kind == request.kind:
        return
    if request.insert_into is not None:
        raise StatementError(
            f"Incompatible data sink and query result. Data sink (`{request.name}`) type is K{request.kind} "
            f"but select query result is K{kind}."
        )
    raise StatementError(
        f"Invalid result type. Your SELECT query produces a {kind}. "
        f"Please use CREATE {kind} AS SELECT statement instead.\nStatement: {request.statement_text}"
    )


def _check_target(result: Schema, target: Schema) -> None:
    if result != Schema(target.key, target.payload):
        raise StatementError(
            "Incompatible schema between results and sink.\n"
            f"Result schema is {_columns(result)}\nSink schema is {_columns(target)}"
        )


def _columns(schema: Schema) -> str:
    keys = [f"`{column.name}` {column.type} KEY" for column in schema.key]
    return ", ".join([*keys, *(f"`{column.name}` {column.type}" for column in schema.value)])


def _check_windows(plan: Plan, *, final: bool) -> None:
    for part in walk(plan):
        if isinstance(part, Aggregate) and part.window is not None:
            check_window(part.window, final=final)


class _Planner:
    """Plans one sanitized query up to its projection."""

    def __init__(
        self, query: ast.Query, catalog: CatalogView, library: FunctionLibrary, kind: ast.SourceKind | None
    ) -> None:
        self.query = query
        self.library = library
        self.kind = kind  # what it makes; None for a push query
        self.persistent = kind is not None
        self.names: SourceNames = sources_of(query, catalog)
        free: set[str] = set()
        if query.joins:
            free.add(SYNTHETIC_KEY)
        elif query.window is not None:
            free |= WINDOW_COLUMNS
        self.resolver = Resolver(self.names, frozenset(free))

    def plan(self) -> tuple[Stage, list[Selected]]:
        """Return the plan and the select list over its columns."""
        self._check_query()
        stage = plan_joins(self.query, self.names, self.library, _read) if self.query.joins else self._single()
        stage = self._filtered(stage)
        select = self._select(stage)
        if self.query.group_by or self._is_one_group(select):
            return self._grouped(stage, select)
        refuse_aggregates_without_grouping(select, self.library, self.kind)
        if self.query.window is not None:
            where = self.query.window.location
            at = f"Line: {where.line}, Col: {where.column}: " if where else ""
            raise StatementError(f"{at}WINDOW clause requires a GROUP BY clause.")
        if self.query.emit == "FINAL":
            raise StatementError("EMIT FINAL is only supported for windowed aggregations.")
        if not self.query.partition_by:
            return plan_table_functions(stage, select, self.library)
        stage = with_needed_keys(stage, select, self.library)
        stage, select = plan_table_functions(stage, select, self.library)
        labels = [format_expression(expression) for expression in self.query.partition_by]
        return plan_partitioning(stage, self._partition_by(), labels, self.library), select

    def _check_query(self) -> None:
        query = self.query
        for source in self.names.sources:
            if self.persistent and source.source.kind == "TABLE" and source.source.window is not None:
                raise StatementError("KSQL does not support persistent queries on windowed tables.")
        clause = "JOIN" if query.joins else "GROUP BY" if query.group_by else None
        if clause is not None:
            self._refuse_kafka_values(clause)
        if query.group_by and query.partition_by:
            raise StatementError("Only one of GROUP BY and PARTITION BY may be used in a query.")
        if self.persistent and query.limit is not None:
            raise StatementError("LIMIT is only supported in push and pull queries.")

    def _refuse_kafka_values(self, clause: str) -> None:
        wrong = [one.source.name for one in self.names.sources if one.source.value_format.name == "KAFKA"]
        if wrong:
            raise StatementError(
                f"Source(s) {', '.join(wrong)} are using the 'KAFKA' value format. "
                f"This format does not yet support {clause}."
            )

    def _single(self) -> Stage:
        source = self.names.sources[0]
        keys = tuple(
            KeyPart((ast.ColumnReference(column.name),), (column.name,), column.name)
            for column in source.source.schema.key
        )
        is_table = source.source.kind == "TABLE"
        return Stage(_read(source), keys, "key column", is_table, source.source.window)

    def _filtered(self, stage: Stage) -> Stage:
        if self.query.where is None:
            return stage
        condition = self.resolver.resolve(with_parsed_times(self.query.where), "WHERE")
        for column in window_columns_in(condition) if stage.window is None else ():
            text = format_expression(condition)
            raise StatementError(f"Error in WHERE expression: Unknown column {column}.\nStatement: {text}")
        try:
            refuse_table_functions(condition, stage.plan.schema)
            predicate = typed_predicate("WHERE", condition, stage.plan.schema, self.library)
        except ExecutionError as error:
            return replace(stage, late=(*stage.late, error))
        return replace(stage, plan=Filter(stage.plan, predicate, stage.plan.schema, stage.is_table))

    def _select(self, stage: Stage) -> list[Selected]:
        select: list[Selected] = []
        if self.persistent:
            check_reserved(self.query.select)
        for item in self.query.select:
            if isinstance(item, ast.SelectStructAll):
                select += struct_fields(item, self.resolver, stage.plan.schema, self.library)
            elif isinstance(item, ast.SelectAll) and self.query.partition_by:
                select += everything_partitioned(stage, self._partition_by(), self.resolver)
            else:
                select += expand(
                    item, self.resolver, with_window=not self.persistent, synthetic_key=stage.synthetic_key
                )
        return select

    def _is_one_group(self, select: Sequence[Selected]) -> bool:
        """Whether it is a push query of nothing but aggregates, which are then over all rows."""
        return not self.persistent and all(aggregates_in(item.expression, self.library) for item in select)

    def _grouped(self, stage: Stage, select: Sequence[Selected]) -> tuple[Stage, list[Selected]]:
        for item in select:
            if table_functions_in(item.expression):
                raise StatementError("Table functions cannot be used with aggregations.")
        group_by: tuple[ast.Expression, ...] = tuple(
            self.resolver.resolve(expression, "GROUP BY") for expression in self.query.group_by
        )
        group_by = group_by or (ast.BooleanLiteral(value=True),)
        having = self.resolver.resolve(self.query.having, "HAVING") if self.query.having is not None else None
        return plan_aggregation(stage, self.query, group_by, having, select, self.library)

    def _partition_by(self) -> tuple[ast.Expression, ...]:
        return tuple(self.resolver.resolve(expression, "PARTITION BY") for expression in self.query.partition_by)


def _read(source: AliasedSource) -> Source:
    """Return the plan's leaf for a source."""
    view = source.source
    return Source(
        view.name,
        source.alias,
        view.topic,
        view.kind,
        view.schema,
        view.key_format,
        view.value_format,
        view.window,
        view.timestamp,
    )
