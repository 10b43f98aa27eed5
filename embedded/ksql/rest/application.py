"""The web application: ksqlDB's paths and methods over one engine."""

from __future__ import annotations

from functools import partial

from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from embedded.ksql.errors import KsqlError
from embedded.ksql.rest.answers import JSON, KSQL_JSON
from embedded.ksql.rest.bodies import read_object, read_statements
from embedded.ksql.rest.errors import NOT_ACCEPTABLE, NOT_FOUND, error_response, generic_error
from embedded.ksql.rest.inserting import Inserts
from embedded.ksql.rest.queries import Queries
from embedded.ksql.rest.server_info import ServerInfo
from embedded.ksql.rest.statements import execute_request
from embedded.ksql.rest.terminating import terminate_cluster
from embedded.ksql.runtime.engine import Engine

UNAVAILABLE, SHUTTING_DOWN = 503, 50303
_STATEMENT_TYPES = {JSON, KSQL_JSON, "*/*"}


def application(engine: Engine, address: str) -> Starlette:
    """Return the application; ``address`` is the host and port that queries are said to run on."""
    info, queries, statements = ServerInfo(engine), Queries(engine), Statements(engine, address)
    routes = [
        Route("/", info.root, methods=["GET"]),
        Route("/info", info.info, methods=["GET"]),
        Route("/healthcheck", info.health, methods=["GET"]),
        Route("/status", info.statuses, methods=["GET"]),
        Route("/status/{type}/{name:path}/{action}", info.status, methods=["GET"]),
        Route("/clusterStatus", info.cluster_status, methods=["GET"]),
        Route("/is_valid_property/{name}", info.is_valid_property, methods=["GET"]),
        Route("/metrics", info.metrics, methods=["GET"]),
        Route("/ksql", statements.execute, methods=["POST"]),
        Route("/ksql/terminate", statements.terminate, methods=["POST"]),
        Route("/query", queries.query, methods=["POST"]),
        Route("/query-stream", queries.query_stream, methods=["POST"]),
        Route("/close-query", queries.close_query, methods=["POST"]),
        Route("/inserts-stream", Inserts(engine).inserts_stream, methods=["POST"]),
    ]
    handlers = {HTTPException: _http_error}
    made = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]
    made.add_middleware(_UntilTerminated, engine=engine)
    return made


class Statements:
    """The endpoints that execute statements."""

    def __init__(self, engine: Engine, address: str) -> None:
        self._engine, self._address = engine, address

    async def execute(self, request: Request) -> Response:
        """Answer POST /ksql."""
        accept = request.headers.get("accept", "*/*")
        if not any(wanted.partition(";")[0].strip() in _STATEMENT_TYPES for wanted in accept.split(",")):
            return Response(status_code=NOT_ACCEPTABLE)
        try:
            body = await read_statements(request, "ksql", "streamsProperties")
            return JSONResponse(await run_sync(partial(execute_request, self._engine, body, self._address)))
        except KsqlError as error:
            return error_response(error)

    async def terminate(self, request: Request) -> Response:
        """Answer POST /ksql/terminate."""
        try:
            patterns = [str(pattern) for pattern in (await read_object(request)).get("deleteTopicList") or []]
            return JSONResponse(await run_sync(terminate_cluster, self._engine, patterns))
        except KsqlError as error:
            return error_response(error)


class _UntilTerminated:
    """Lets nothing through once the cluster was terminated."""

    def __init__(self, app: ASGIApp, engine: Engine) -> None:
        self._app, self._engine = app, engine

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._engine.is_terminated:
            response = generic_error(UNAVAILABLE, SHUTTING_DOWN, "The server is shutting down")
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)


async def _http_error(_: Request, error: HTTPException) -> Response:
    if error.status_code == NOT_FOUND:
        return HTMLResponse("<html><body><h1>Resource not found</h1></body></html>", NOT_FOUND)
    return Response(status_code=error.status_code, headers=error.headers)
