"""From a plan to a topology that runs it.

Stream time. Kafka Streams keeps one stream time a partition of the (repartitioned) input of each windowed operator,
and a record is late by the time of its own partition only. Here all partitions are read by one process and nothing
is repartitioned through a topic, so operators keep the time of each *group-partition*: where grouping or joining
keeps the key with which rows were read, that is the partition they were read from; after a new key it is the murmur2
hash of the key's bytes modulo ``partitions``, where Kafka Streams would have sent them (key bytes as in the KAFKA
format; with other key formats the grouping is another one, equally good). One time for the whole process would
drop more rows than ksqlDB does, when partitions are read at different speeds.
Times are part of the stores, so that a restart decides as an uninterrupted run would.
"""

from __future__ import annotations

from collections.abc import Callable

from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.operators import stateless
from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.final_aggregate import FinalAggregate
from embedded.ksql.operators.foreign_key_join import ForeignKeyJoinOperator
from embedded.ksql.operators.interface import Topology
from embedded.ksql.operators.materialized import Projected
from embedded.ksql.operators.query import Query
from embedded.ksql.operators.session_aggregate import SessionAggregate
from embedded.ksql.operators.stream_aggregate import StreamAggregate
from embedded.ksql.operators.stream_stream_join import StreamStreamJoinOperator
from embedded.ksql.operators.table_aggregate import TableAggregate
from embedded.ksql.operators.table_joins import StreamTableJoinOperator, TableTableJoinOperator
from embedded.ksql.operators.table_rows import MaterializedRows
from embedded.ksql.planning.plan import (
    Aggregate,
    Filter,
    FlatMap,
    ForeignKeyJoin,
    Plan,
    Project,
    Rekey,
    Sink,
    Source,
    StreamStreamJoin,
    StreamTableJoin,
    Suppress,
    TableTableJoin,
)

Aggregation = StreamAggregate | TableAggregate | SessionAggregate | FinalAggregate


def build_topology(plan: Sink, library: FunctionLibrary, *, cache: bool = False, partitions: int = 1) -> Topology:
    """Return a query ready to run.

    ``cache`` merges the updates of a group between ``flush`` calls; ``partitions`` is how many partitions Kafka
    Streams' repartition topics would have (as many as the largest source topic).
    """
    builder = _Builder(Context(library, cache, partitions))
    query = Query(plan, builder.context)
    builder.attach_sink(plan, query.collect)
    query.connect(builder.sources, builder.entries)
    return query


class _Builder:
    """Puts operators together from the sink to the sources, each given what takes its rows."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.sources: list[Source] = []
        self.entries: list[Forward] = []

    def attach_sink(self, plan: Sink, forward: Forward) -> None:
        """Build everything below the sink, and what pull queries read, if it is a named table."""
        forward = stateless.write_sink(plan, self.context, forward)
        if plan.kind == "TABLE" and plan.name and not _rests_on_aggregate(plan.input):
            is_windowed = plan.window is not None
            rows = MaterializedRows(plan.schema, self.context, forward, is_windowed=is_windowed)
            self.context.materialized, forward = rows, rows.receive
        self._attach(plan.input, forward, projections=[])

    def _attach(self, node: Plan, forward: Forward, projections: list[Project] | None = None) -> None:
        """Build a node and what is below it. ``projections`` are those between a table's aggregation and its sink."""
        context = self.context
        match node:
            case Source():
                self.sources.append(node)
                self.entries.append(stateless.read_source(node, context, forward))
            case Filter(input=Aggregate() | Suppress()):
                self._attach_aggregate(node.input, node, forward, projections)
            case Aggregate() | Suppress():
                self._attach_aggregate(node, None, forward, projections)
            case Filter():
                make = stateless.filter_table if node.is_table else stateless.filter_stream
                self._attach(node.input, make(node, context, forward))
            case Project():
                above = None if projections is None else [node, *projections]
                self._attach(node.input, stateless.project(node, context, forward), above)
            case Rekey():
                self._attach(node.input, stateless.rekey(node, context, forward))
            case FlatMap():
                self._attach(node.input, stateless.flat_map(node, context, forward))
            case _:
                self._attach_join(node, forward)

    def _attach_join(
        self, node: StreamTableJoin | TableTableJoin | ForeignKeyJoin | StreamStreamJoin, forward: Forward
    ) -> None:
        operators: dict[type, Callable[..., _Join]] = {
            StreamTableJoin: StreamTableJoinOperator,
            TableTableJoin: TableTableJoinOperator,
            ForeignKeyJoin: ForeignKeyJoinOperator,
            StreamStreamJoin: StreamStreamJoinOperator,
        }
        join = operators[type(node)](node, self.context, forward)
        self._attach(node.left, join.receive_left)
        self._attach(node.right, join.receive_right)

    def _attach_aggregate(
        self, node: Plan, having: Filter | None, forward: Forward, projections: list[Project] | None
    ) -> None:
        is_final = isinstance(node, Suppress)
        aggregate = node.input if isinstance(node, Suppress) else node
        if not isinstance(aggregate, Aggregate) or (is_final and aggregate.window is None):
            raise TypeError(f"EMIT FINAL over {type(aggregate).__name__}: the planner must refuse it")
        if is_final and having is not None:
            forward = stateless.filter_stream(having, self.context, forward)
        operator = self._aggregation(aggregate, having, forward, is_final=is_final)
        if projections is not None:
            self.context.materialized = Projected(operator, projections, self.context, having if is_final else None)
        self._attach(aggregate.input, operator.receive)

    def _aggregation(self, node: Aggregate, having: Filter | None, forward: Forward, *, is_final: bool) -> Aggregation:
        if node.is_table:
            return TableAggregate(node, having, self.context, forward)
        if node.window is not None and node.window.kind == "SESSION":
            return SessionAggregate(node, having, self.context, forward, final=is_final)
        if is_final:
            return FinalAggregate(node, self.context, forward)
        return StreamAggregate(node, having, self.context, forward)


_Join = StreamTableJoinOperator | TableTableJoinOperator | ForeignKeyJoinOperator | StreamStreamJoinOperator


def _rests_on_aggregate(node: Plan) -> bool:
    """Whether the rows of a table can be computed from an aggregation's states when they are asked for."""
    while isinstance(node, Project):
        node = node.input
    if isinstance(node, Filter):
        node = node.input
    return isinstance(node, Aggregate | Suppress)
