"""POST /query, /query-stream and /close-query: rows and records, as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Protocol

import anyio
import structlog
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.parser import ParsedStatement
from embedded.ksql.rest.answering import StreamedAnswer, answer, single_statement
from embedded.ksql.rest.answers import Layout, layout_for
from embedded.ksql.rest.bodies import StatementsBody, read_object, read_statements
from embedded.ksql.rest.errors import JSON, NOT_ACCEPTABLE, error_response
from embedded.ksql.rest.printing import start_printing
from embedded.ksql.rest.statements import wait_for_command
from embedded.ksql.runtime.engine import Engine

log = structlog.get_logger(__name__)

# Every push query waits for its rows in a thread, a tenth of a second at a time.
MOST_STREAMS = 200
QUERY, QUERY_STREAM = "/query", "/query-stream"


class _Answer(Protocol):
    """Something that gives text until there is no more."""

    def take(self) -> str | None:
        """Return the next text, None at the end."""
        ...

    def end(self) -> str:
        """Return what comes last."""
        ...


class Queries:
    """The endpoints of one engine that stream."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._threads = anyio.CapacityLimiter(MOST_STREAMS)

    async def query(self, request: Request) -> Response:
        """Answer POST /query."""
        return await self._answer(request, QUERY)

    async def query_stream(self, request: Request) -> Response:
        """Answer POST /query-stream."""
        return await self._answer(request, QUERY_STREAM)

    async def close_query(self, request: Request) -> Response:
        """Answer POST /close-query: let a query's answer end."""
        try:
            query_id = str((await read_object(request)).get("queryId"))
        except KsqlError as error:
            return error_response(error)
        if not self._engine.transients.request_stop(query_id):
            return error_response(KsqlError(f"No query with id {query_id}"))
        return Response()

    async def _answer(self, request: Request, path: str) -> Response:
        layout = layout_for(request.headers.get("accept"), path)
        if layout is None:
            return Response(status_code=NOT_ACCEPTABLE)
        names = ("ksql", "streamsProperties") if path == QUERY else ("sql", "properties")
        try:
            body = await read_statements(request, *names)
            return await run_sync(partial(self._start, body, path, layout))
        except KsqlError as error:
            return error_response(error)

    def _start(self, body: StatementsBody, path: str, layout: Layout) -> Response:
        wait_for_command(self._engine, body)
        parsed = single_statement(body, path)
        if isinstance(parsed.statement, ast.PrintTopic):
            printer = start_printing(parsed.statement, self._engine.cluster)
            return self._streaming(printer, "", printer.close, media_type=JSON)
        if not isinstance(parsed.statement, ast.Query):
            raise _not_a_query(parsed, path)
        answered = answer(self._engine, parsed, body.properties, layout)
        if isinstance(answered, StreamedAnswer):
            close = partial(self._engine.transients.end, answered.query.query_id)
            return self._streaming(answered, answered.text.begin(), close, failure=answered.text.failure)
        return Response(answered)

    def _streaming(
        self,
        answered: _Answer,
        beginning: str,
        close: Callable[[], None],
        *,
        failure: Callable[[str], str] = str,
        media_type: str | None = None,
    ) -> Response:
        async def chunks() -> AsyncIterator[str]:
            if beginning:
                yield beginning
            try:
                while (text := await run_sync(answered.take, limiter=self._threads)) is not None:
                    if text:
                        yield text
                yield answered.end()
            except Exception as error:
                log.exception("query.failed")
                yield failure(str(error) or type(error).__name__)

        return _ClosingResponse(chunks(), close, media_type=media_type)


class _ClosingResponse(StreamingResponse):
    """A streaming response that closes what it streams from, also when the client is gone or never came."""

    def __init__(self, content: AsyncIterator[str], close: Callable[[], None], *, media_type: str | None) -> None:
        super().__init__(content, media_type=media_type)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_sync(self._close)


def _not_a_query(parsed: ParsedStatement, path: str) -> KsqlError:
    if path == QUERY:
        return KsqlError(
            "Statement type `io.confluent.ksql.parser.KsqlParser$PreparedStatement' not supported for this resource"
        )
    message = f"Neither a query nor a print statement\nStatement: {parsed.text}"
    return StatementError(message, statement_text=parsed.text)
