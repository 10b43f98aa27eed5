"""What the server says of itself: /info, /healthcheck, /status, /is_valid_property and /metrics."""

from __future__ import annotations

from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from embedded.ksql.errors import KsqlError, ServerError
from embedded.ksql.rest.errors import JSON, NOT_FOUND, error_response, generic_error
from embedded.ksql.rest.metrics import CONTENT_TYPE, metrics_text
from embedded.ksql.runtime.engine import CommandStatus, Engine
from embedded.ksql.runtime.properties import refuse_immutable

# Clients compare the number before the dash; "embedded" says that this is not ksqlDB itself.
VERSION = "7.4.4-embedded"
_COMMAND_TYPES = frozenset({"TOPIC", "STREAM", "TABLE", "TERMINATE", "CLUSTER", "TYPE", "PAUSE", "RESUME"})


class ServerInfo:
    """The endpoints of one engine that change nothing."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cluster_id: str | None = None

    async def root(self, _: Request) -> Response:
        """Answer GET /."""
        return RedirectResponse("/info")

    async def info(self, _: Request) -> Response:
        """Answer GET /info."""
        if self._cluster_id is None:
            self._cluster_id = await run_sync(self._engine.cluster.topics.cluster_id)
        document = {
            "version": VERSION,
            "kafkaClusterId": self._cluster_id,
            "ksqlServiceId": self._engine.cluster.service_id,
            "serverStatus": "RUNNING",
        }
        return JSONResponse({"KsqlServerInfo": document})

    async def health(self, _: Request) -> Response:
        """Answer GET /healthcheck: whether Kafka answers and every command could be replayed."""
        is_reachable = await run_sync(self._engine.cluster.topics.is_reachable)
        replayed = self._engine.unreplayed == 0
        document = {
            "isHealthy": is_reachable and replayed,
            "details": {
                "metastore": {"isHealthy": True},
                "kafka": {"isHealthy": is_reachable},
                "commandRunner": {"isHealthy": replayed},
            },
            "serverState": "READY",
        }
        return JSONResponse(document)

    async def statuses(self, _: Request) -> Response:
        """Answer GET /status."""
        statuses = {command_id: known.status for command_id, known in self._engine.statuses.items()}
        return JSONResponse({"commandStatuses": statuses})

    async def status(self, request: Request) -> Response:
        """Answer GET /status/{type}/{name}/{action}."""
        kind, name, action = (request.path_params[part] for part in ("type", "name", "action"))
        if kind.upper() not in _COMMAND_TYPES:
            message = f"No enum constant io.confluent.ksql.rest.entity.CommandId.Type.{kind.upper()}"
            return generic_error(ServerError.status, ServerError.error_code, message)
        known = self._engine.statuses.get(f"{kind.lower()}/{name}/{action.lower()}")
        if known is None:
            return generic_error(NOT_FOUND, NOT_FOUND * 100, "Command not found")
        return JSONResponse(status_document(known))

    async def cluster_status(self, _: Request) -> Response:
        """Answer GET /clusterStatus: there are no heartbeats, as by default in ksqlDB."""
        return Response(status_code=NOT_FOUND, media_type=JSON)

    async def is_valid_property(self, request: Request) -> Response:
        """Answer GET /is_valid_property/{name}: true for all that the server's configuration does not reserve."""
        try:
            refuse_immutable(request.path_params["name"])
        except KsqlError as error:
            return error_response(error)
        return JSONResponse(content=True)

    async def metrics(self, _: Request) -> Response:
        """Answer GET /metrics, in Prometheus' text format."""
        return Response(await run_sync(metrics_text, self._engine), media_type=CONTENT_TYPE)


def status_document(known: CommandStatus) -> dict[str, str | None]:
    """Return a command's status as /status prints it."""
    return {"status": known.status, "message": known.message, "queryId": known.query_id}
