"""Starts what answers a SELECT: a look into a table's state, or a query that streams rows."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language import ast
from embedded.ksql.language.named_types import resolve_types
from embedded.ksql.language.parser import ParsedStatement, parse
from embedded.ksql.planning.plan import Sink
from embedded.ksql.planning.pull import PullColumn, PullPlan, not_queryable, plan_pull_query
from embedded.ksql.planning.queries import plan_push_query
from embedded.ksql.rest.answers import COMPLETED, LIMIT_REACHED, AnswerText, Layout
from embedded.ksql.rest.bodies import StatementsBody
from embedded.ksql.rest.looking import transient_id
from embedded.ksql.rest.statements import naming
from embedded.ksql.runtime.engine import Engine
from embedded.ksql.runtime.properties import request_properties
from embedded.ksql.runtime.pulling import pull
from embedded.ksql.runtime.query_settings import query_settings
from embedded.ksql.runtime.transient import TransientQuery
from embedded.ksql.runtime.worker import QueryWorker

_SYNTAX_ERROR = re.compile(r"(line \d+:\d+): Syntax Error\n(.*)", re.DOTALL)
MILLISECONDS = 1_000


@dataclass(slots=True)
class StreamedAnswer:
    """Rows that come as long as there are any: a running query, how its rows read, how many are wanted."""

    query: TransientQuery
    text: AnswerText
    names: Sequence[str]
    limit: int | None

    def take(self) -> str | None:
        """Return the text of the next rows, empty after a tenth of a second without any; None at the end."""
        if self.limit == 0:
            return None
        rows = self.query.take()
        if rows is None:
            return None
        if self.limit is not None:
            rows = rows[: self.limit]
            self.limit -= len(rows)
        texts = []
        for row in rows:
            if row.value is not None:
                texts.append(self.text.rows([row.value]))
            else:
                known = dict(zip(self.query.key_names, row.key or (), strict=False))
                texts.append(self.text.tombstone([known.get(name) for name in self.names]))
        return "".join(texts)

    def end(self) -> str:
        """Return what comes after the last row."""
        return self.text.end(LIMIT_REACHED if self.limit == 0 else COMPLETED)


def single_statement(body: StatementsBody, path: str) -> ParsedStatement:
    """Return the one statement of a request for an answer. Raises StatementError."""
    with naming(body.text):
        try:
            statements = parse(body.text, body.variables)
        except StatementError as error:
            raise _explained(error, body.text, path) from error
        if len(statements) != 1:
            raise StatementError(f"Expected exactly one KSQL statement; found {len(statements)} instead")
    return statements[0]


def answer(
    engine: Engine, parsed: ParsedStatement, properties: Mapping[str, Any], layout: Layout
) -> str | StreamedAnswer:
    """Answer a SELECT: the whole text of a pull query, or what streams it. Raises KsqlError."""
    if not isinstance(parsed.statement, ast.Query):
        raise TypeError(parsed.statement)
    with naming(parsed.text):
        query = resolve_types(parsed.statement, engine.catalog.types)
        known = request_properties(properties)
        if query.emit is not None:
            return _push(engine, plan_push_query(query, engine.catalog, LIBRARY), (parsed, known), layout)
        plan = plan_pull_query(query, engine.catalog, LIBRARY)
        if plan.stream is not None:
            return _push(engine, plan.stream, (parsed, known), layout, to_end=True)
        return _pull(plan, _keeper(engine, plan.source), layout)


def _pull(plan: PullPlan, worker: QueryWorker, layout: Layout) -> str:
    text = AnswerText(layout, f"query_{int(time.time() * MILLISECONDS)}", plan.columns)
    if plan.is_session_scan:
        # ksqlDB finds out when it has answered 200 already.
        return text.begin() + text.failure("Unable to execute pull query: Table scan unsupported on session tables")
    return text.whole(pull(plan, worker))


def _keeper(engine: Engine, source: str) -> QueryWorker:
    """Return the worker of the query that keeps a table's rows. Raises StatementError."""
    made = [query for query in engine.queries.writing(source) if query.declared.plan.kind == "TABLE"]
    if not made:
        raise not_queryable(source)
    return made[0].worker


def _push(
    engine: Engine, plan: Sink, asked: tuple[ParsedStatement, dict[str, str]], layout: Layout, *, to_end: bool = False
) -> StreamedAnswer:
    parsed, properties = asked
    statement = parsed.statement
    if not isinstance(statement, ast.Query):
        raise TypeError(statement)
    query_id = transient_id(statement)
    columns = [PullColumn(column.name, column.type, is_key=False) for column in plan.schema.value]
    query = TransientQuery((query_id, parsed.text), plan, query_settings(properties), engine.cluster, to_end=to_end)
    engine.transients.add(query)
    names = [column.name for column in columns]
    return StreamedAnswer(query, AnswerText(layout, query_id, columns), names, statement.limit)


def _explained(error: StatementError, text: str, path: str) -> KsqlError:
    """Return a syntax error as these endpoints word it; the older one adds what its parser said."""
    message = f"{error.message}\nStatement: {text}"
    match = _SYNTAX_ERROR.fullmatch(error.message)
    if match is not None and path == "/query":
        position = match[1]
        cause = match[2] if match[2].startswith("Syntax error") else f"Syntax error at {position}"
        message += f"\nCaused by: {position}: {cause}"
    return StatementError(message)
