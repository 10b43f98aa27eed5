"""Streams and tables of ksqlDB: created in order, replaced where their file changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg

from pipeline.clients.ksqldb import KsqlDb
from pipeline.declared.ksql import KsqlObject
from pipeline.deploy.change import Change
from pipeline.deploy.record import last_deployed_sha256, record_deployment, sha256
from pipeline.errors import RejectedError
from pipeline.waiting import wait_until


def deploy_ksql(
    ksqldb: KsqlDb, connection: psycopg.Connection, objects: Sequence[KsqlObject], *, timeout_seconds: float
) -> Iterator[Change]:
    """Yield a change for each object, after the server has carried it out and its query runs.

    An object that exists and whose file is the one deployed last stays as it is; one whose file changed is replaced
    in place. Raises RejectedError with ksqlDB's message where it refuses.
    """
    existing = ksqldb.sources()
    for declared in objects:
        path = f"ksql/{declared.path.name}"
        if existing.get(declared.name) is None:
            _execute(ksqldb, declared, declared.statement, timeout_seconds)
            action = Change("ksql", declared.name, "created")
        elif last_deployed_sha256(connection, path) == sha256(declared.text):
            yield Change("ksql", declared.name, "unchanged")
            continue
        else:
            _execute(ksqldb, declared, declared.replacing, timeout_seconds)
            action = Change("ksql", declared.name, "updated", "replaced in place")
        record_deployment(connection, path, declared.text)
        yield action
    _await_running(ksqldb, {declared.name for declared in objects}, timeout_seconds)


def _execute(ksqldb: KsqlDb, declared: KsqlObject, statement: str, timeout_seconds: float) -> None:
    try:
        entities = ksqldb.execute(statement, declared.properties)
    except RejectedError as error:
        message = f"{declared.path}: {error}"
        raise RejectedError(message, status=error.status) from error
    for entity in entities:
        if "commandId" in entity and entity["commandStatus"]["status"] != "SUCCESS":
            _await_command(ksqldb, declared, entity["commandId"], timeout_seconds)


def _await_command(ksqldb: KsqlDb, declared: KsqlObject, command_id: str, timeout_seconds: float) -> None:
    def settled() -> dict[str, str] | None:
        state = ksqldb.command_state(command_id)
        return state if state["status"] in {"SUCCESS", "ERROR"} else None

    state = wait_until(settled, awaiting=f"ksqlDB to run {declared.path}", timeout_seconds=timeout_seconds)
    if state["status"] == "ERROR":
        message = f"{declared.path}: ksqlDB failed: {state['message']}"
        raise RejectedError(message)


def _await_running(ksqldb: KsqlDb, names: set[str], timeout_seconds: float) -> None:
    def running() -> bool:
        queries = [query for query in ksqldb.queries() if names & set(query.sinks)]
        failed = next((query for query in queries if query.state == "ERROR"), None)
        if failed:
            message = f"ksqlDB: query {failed.id} is in ERROR; `EXPLAIN {failed.id};` tells why"
            raise RejectedError(message)
        return all(query.state == "RUNNING" for query in queries)

    wait_until(running, awaiting="every ksqlDB query to be RUNNING", timeout_seconds=timeout_seconds)
