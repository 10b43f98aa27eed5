"""Statements of ksqlDB, awaited until they are carried out and their queries run."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.clients.ksqldb import KsqlDb
from pipeline.errors import RejectedError
from pipeline.waiting import wait_until


def run_statement(
    ksqldb: KsqlDb, statement: str, properties: Mapping[str, str], where: str, timeout_seconds: float
) -> None:
    """Run one statement and return when the server has carried it out. Raises RejectedError naming ``where``."""
    try:
        entities = ksqldb.execute(statement, dict(properties))
    except RejectedError as error:
        raise RejectedError(f"{where}: {error}", status=error.status) from error
    for entity in entities:
        if "commandId" in entity and entity["commandStatus"]["status"] != "SUCCESS":
            _await_command(ksqldb, entity["commandId"], where, timeout_seconds)


def _await_command(ksqldb: KsqlDb, command_id: str, where: str, timeout_seconds: float) -> None:
    def settled() -> dict[str, str] | None:
        state = ksqldb.command_state(command_id)
        return state if state["status"] in {"SUCCESS", "ERROR"} else None

    state = wait_until(settled, awaiting=f"ksqlDB to run {where}", timeout_seconds=timeout_seconds)
    if state["status"] == "ERROR":
        raise RejectedError(f"{where}: ksqlDB failed: {state['message']}")


def await_running(ksqldb: KsqlDb, names: set[str], timeout_seconds: float, *, or_paused: bool = False) -> None:
    """Return when every query that writes one of the named sources is RUNNING. Raises RejectedError if one fails.

    ``or_paused``: or PAUSED, as somebody wants it to be.
    """
    states = ("RUNNING", "PAUSED") if or_paused else ("RUNNING",)
    wait_until(
        lambda: _are_in(ksqldb, names, *states),
        awaiting=f"every ksqlDB query to be {' or '.join(states)}",
        timeout_seconds=timeout_seconds,
    )


def are_running(ksqldb: KsqlDb, names: set[str]) -> bool:
    """Whether every query that writes one of the named sources is RUNNING. Raises RejectedError if one has failed."""
    return _are_in(ksqldb, names, "RUNNING")


def _are_in(ksqldb: KsqlDb, names: set[str], *states: str) -> bool:
    queries = [query for query in ksqldb.queries() if names & set(query.sinks)]
    failed = next((query for query in queries if query.state == "ERROR"), None)
    if failed:
        raise RejectedError(f"ksqlDB: query {failed.id} is in ERROR; `EXPLAIN {failed.id};` tells why")
    return all(query.state in states for query in queries)
