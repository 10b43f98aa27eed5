"""Pull queries over tables: a look into the state of the query that makes the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.operators.interface import Materialized, Row
from embedded.ksql.planning.pull import PullPlan
from embedded.ksql.runtime.scan_order import in_key_order
from embedded.ksql.runtime.worker import QueryWorker

READY_SECONDS = 30.0


def pull(plan: PullPlan, worker: QueryWorker) -> list[tuple[Any, ...]]:
    """Return the rows of the answer: a consistent snapshot between two transactions' changes."""
    if plan.is_session_scan:
        raise StatementError("Unable to execute pull query. Table scan unsupported on session tables")
    with worker.reading(READY_SECONDS) as table:
        if table is None:
            raise KsqlError(f"The query that makes {plan.source} is not running: {worker.failure or 'it restarts'}.")
        rows = table.rows() if plan.keys is None else _looked_up(plan.keys, table)
        accepted = filter(plan.accepts, rows)
        if plan.keys is None:
            return list(map(plan.project, in_key_order(accepted, plan.key_format, plan.key, plan.limit)))
        return list(map(plan.project, islice(accepted, plan.limit)))


def _looked_up(keys: Iterable[tuple[Any, ...]], table: Materialized) -> Iterator[Row]:
    for key in keys:
        yield from table.get(key)
