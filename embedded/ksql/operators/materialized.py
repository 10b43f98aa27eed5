"""An aggregated table's rows for pull queries, computed from its states when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from embedded.ksql.expressions.compiler import compile_predicate
from embedded.ksql.operators.context import Context
from embedded.ksql.operators.interface import Materialized, Row
from embedded.ksql.operators.stateless import project_row
from embedded.ksql.planning.plan import Filter, Project


class Projected:
    """Rows of an aggregation as the projections above it give them.

    What fails in one is null, and nothing more: the query itself reported it when the row went to the sink.
    """

    def __init__(
        self, rows: Materialized, projections: Sequence[Project], context: Context, having: Filter | None
    ) -> None:
        self._rows = rows
        self._steps = [project_row(node, context) for node in projections]
        self._matches: Callable[[Row], bool] | None = None
        if having is not None:
            self._matches = compile_predicate(having.predicate, having.input.schema, context.library)

    def rows(self) -> Iterator[Row]:
        """Yield every live row."""
        return self._project(self._rows.rows())

    def get(self, key: tuple[Any, ...]) -> Sequence[Row]:
        """Return the live rows of one key."""
        return list(self._project(iter(self._rows.get(key))))

    def _project(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            if self._matches is None or self._matches(row):
                projected = row
                for step in self._steps:
                    projected = step(projected)
                yield projected
