"""Statements that only look: SHOW, LIST, DESCRIBE and EXPLAIN."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from embedded.ksql.errors import StatementError
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language import ast
from embedded.ksql.language.named_types import resolve_types
from embedded.ksql.language.parser import ParsedStatement
from embedded.ksql.planning.catalog import Catalog, DeclaredSource
from embedded.ksql.planning.queries import plan_push_query
from embedded.ksql.rest.descriptions import (
    plan_description,
    push_query_summary,
    query_description,
    query_summary,
    source_description,
    source_summary,
    type_document,
)
from embedded.ksql.rest.property_list import properties_entity
from embedded.ksql.runtime.engine import Engine
from embedded.ksql.runtime.naming import INTERNAL_PREFIX
from embedded.ksql.runtime.running import RunningQuery
from embedded.ksql.statements.changes import NothingToDo
from embedded.ksql.statements.prepare import prepare

Entity = dict[str, Any]
Looking = ast.Show | ast.Describe | ast.DescribeFunction | ast.Explain

_EXPLAIN = re.compile(r"\s*EXPLAIN\s+", re.IGNORECASE)
_OF_THE_BROKER = frozenset({"__consumer_offsets", "__transaction_state", "__share_group_state"})


@dataclass(slots=True)
class Looker:
    """Answers what is asked of one engine, within one request: its catalog, properties and variables."""

    engine: Engine
    catalog: Catalog
    properties: dict[str, str]
    variables: dict[str, str]
    address: str

    def look(self, parsed: ParsedStatement) -> Entity:
        """Return the entity that answers a statement. Raises StatementError."""
        match parsed.statement:
            case ast.Show(what, extended):
                return self._show(what, extended=extended)
            case ast.Describe(None, extended, what):
                sources = self._sources("STREAM" if what == "STREAMS" else "TABLE")
                return self._descriptions(sources, extended=extended)
            case ast.Describe(name, extended):
                return self._describe(name or "", extended=extended)
            case ast.DescribeFunction(name):
                return {"@type": "describe_function"} | LIBRARY.describe(name)
            case ast.Explain():
                return self._explain(parsed)
        raise TypeError(parsed.statement)

    def _show(self, what: str, *, extended: bool) -> Entity:  # noqa: PLR0911 - one line a kind reads best
        match what:
            case "STREAMS" | "TABLES":
                sources = self._sources("STREAM" if what == "STREAMS" else "TABLE")
                if extended:
                    return self._descriptions(sources, extended=True)
                return {"@type": what.lower(), what.lower(): [source_summary(source) for source in sources]}
            case "QUERIES":
                return self._queries(extended=extended)
            case "TOPICS" | "ALL TOPICS":
                return self._topics(everything=what == "ALL TOPICS", extended=extended)
            case "FUNCTIONS":
                return {"@type": "function_names", "functions": LIBRARY.names()}
            case "TYPES":
                types = {name: type_document(kind) for name, kind in self.catalog.types.items()}
                return {"@type": "type_list", "types": types}
            case "VARIABLES":
                listed = [{"name": name, "value": value} for name, value in self.variables.items()]
                return {"@type": "variables", "variables": listed}
            case "PROPERTIES":
                return properties_entity(self.properties)
        raise StatementError(f"SHOW {what} is not supported by the embedded engine: there is no Connect behind it.")

    def _sources(self, kind: str) -> list[DeclaredSource]:
        return [source for _, source in sorted(self.catalog.sources.items()) if source.kind == kind]

    def _running(self) -> list[RunningQuery]:
        found = [self.engine.queries.get(query_id) for query_id in self.catalog.queries]
        return [query for query in found if query is not None]

    def _describe(self, name: str, *, extended: bool) -> Entity:
        source = self.catalog.source(name)
        if source is None:
            raise StatementError(f"Could not find STREAM/TABLE '{name}' in the Metastore")
        return {"@type": "sourceDescription", "sourceDescription": self._description(source, extended=extended)}

    def _descriptions(self, sources: list[DeclaredSource], *, extended: bool) -> Entity:
        described = [self._description(source, extended=extended) for source in sources]
        return {"@type": "source_descriptions", "sourceDescriptions": described}

    def _description(self, source: DeclaredSource, *, extended: bool) -> dict[str, Any]:
        return source_description(source, self.catalog, self._running(), self.engine.cluster, extended=extended)

    def _queries(self, *, extended: bool) -> Entity:
        if extended:
            described = [query_description(query, self.engine.cluster, self.address) for query in self._running()]
            return {"@type": "query_descriptions", "queryDescriptions": described}
        listed = [query_summary(query) for query in self._running()]
        pushed = [push_query_summary(query.query_id, query.text) for query in self.engine.transients.all()]
        return {"@type": "queries", "queries": [*listed, *pushed]}

    def _topics(self, *, everything: bool, extended: bool) -> Entity:
        topics = self.engine.cluster.topics
        listed = []
        read = self.engine.topic_readers() if extended else {}
        for name, topic in sorted(topics.all(fresh=True).items()):
            if name in _OF_THE_BROKER or (name.startswith(INTERNAL_PREFIX) and not everything):
                continue
            entry: dict[str, Any] = {"name": name, "replicaInfo": list(topic.replicas)}
            if extended:
                consumers, groups = read.get(name, (0, 0))
                entry |= {"consumerCount": consumers, "consumerGroupCount": groups}
            listed.append(entry)
        return {"@type": "kafka_topics_extended" if extended else "kafka_topics", "topics": listed}

    def _explain(self, parsed: ParsedStatement) -> Entity:
        explained = parsed.statement
        if not isinstance(explained, ast.Explain):
            raise TypeError(explained)
        if explained.statement is not None:
            inner = ParsedStatement(explained.statement, _EXPLAIN.sub("", parsed.text, count=1))
            return {"@type": "queryDescription", "queryDescription": self._explained(inner)}
        query = self.engine.queries.get(explained.query or "")
        if query is None:
            raise StatementError(
                f"Query with id:{explained.query} does not exist, use SHOW QUERIES to view the full set of queries."
            )
        described = query_description(query, self.engine.cluster, self.address)
        return {"@type": "queryDescription", "queryDescription": described}

    def _explained(self, inner: ParsedStatement) -> dict[str, Any]:
        cluster = self.engine.cluster
        if isinstance(inner.statement, ast.Query):
            plan = plan_push_query(resolve_types(inner.statement, self.catalog.types), self.catalog, LIBRARY)
            return plan_description(plan, transient_id(inner.statement), inner.text, cluster)
        if isinstance(inner.statement, ast.CreateAsSelect | ast.InsertSelect):
            number = self.engine.next_query_number
            change = prepare(inner, self.catalog, self.engine.world, self.properties, number)
            if isinstance(change, NothingToDo) or change.started is None:
                raise StatementError("There is nothing to explain: the statement would do nothing.")
            return plan_description(change.started.plan, change.started.query_id, inner.text, cluster)
        raise StatementError("The provided statement does not run a ksql query")


def transient_id(query: ast.Query) -> str:
    """Return a new id for a query that answers one client."""
    return f"transient_{query.source.name}_{secrets.randbelow(9 * 10**18) + 10**17}"
