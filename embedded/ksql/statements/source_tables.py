"""CREATE SOURCE TABLE: a query without a topic of its own keeps the table's rows for pull queries."""

from __future__ import annotations

from dataclasses import replace

from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language import ast
from embedded.ksql.planning.catalog import Catalog, DeclaredQuery, DeclaredSource
from embedded.ksql.planning.queries import plan_query
from embedded.ksql.planning.sink import SinkRequest
from embedded.ksql.statements.changes import Change
from embedded.ksql.statements.texts import created_query


def materialize(change: Change, source: DeclaredSource, query_id: str) -> Change:
    """Return the change with the query that reads the table."""
    everything = ast.Query((ast.SelectAll(),), ast.Source(source.name))
    request = SinkRequest(source.name, "TABLE", statement_text=change.text)
    plan = plan_query(everything, Catalog({source.name: source}), LIBRARY, sink=request)
    query = DeclaredQuery(query_id, change.text, replace(plan, topic=None), {}, frozenset())
    return replace(change, started=query, message=created_query(query_id))
