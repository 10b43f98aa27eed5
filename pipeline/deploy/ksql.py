"""Streams and tables of ksqlDB: created in order, replaced in place, dropped in reverse."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.clients.ksqldb import KsqlDb
from pipeline.declared.ksql import KsqlObject
from pipeline.deploy.rebuild import Rebuild
from pipeline.deploy.statements import await_running, run_statement
from pipeline.deploy.step import Step
from pipeline.errors import RejectedError
from pipeline.plan.change import Change
from pipeline.plan.deployed import Recorded
from pipeline.plan.ksql import needs_rebuild


def deploy_ksql(step: Step) -> Iterator[Change]:
    """Yield each object's change when its query runs.

    Raises RejectedError with ksqlDB's message where it refuses, and with the way on where only a rebuild helps.
    """
    declared = {one.name: one for one in step.project.ksql}
    anew = [declared[change.name] for change in step.changes if change.action == "rebuild"]
    rebuilt = False
    for change in step.changes:
        one = declared[change.name]
        if change.action != "rebuild":
            _deploy(step.servers.ksqldb, one, change, step.timeout_seconds)
        elif not rebuilt:
            # All of them at once: what reads another is built over its new version.
            Rebuild(step, anew).run()
            rebuilt = True
        observed = step.servers.ksqldb.describe()[one.name].statement
        recorded = Recorded(str(one.path), one.text, observed)
        step.record.deployed(change.identity, recorded, created=change.action == "create")
        yield change


def _deploy(ksqldb: KsqlDb, one: KsqlObject, change: Change, timeout_seconds: float) -> None:
    statement = one.statement if change.action == "create" else one.replacing
    try:
        run_statement(ksqldb, statement, one.properties, str(one.path), timeout_seconds)
    except RejectedError as error:
        if needs_rebuild(str(error)):
            raise RejectedError(f"{error} With --rebuild it is built anew.", status=error.status) from error
        raise
    await_running(ksqldb, {one.name}, timeout_seconds)


def delete_ksql(step: Step) -> Iterator[Change]:
    """Yield each object's change when it is dropped; its topic stays, and is deleted only if it was declared."""
    for change in step.changes:
        drop(step.servers.ksqldb, change.name, step.timeout_seconds)
        step.record.deleted(change.identity)
        yield change


def drop(ksqldb: KsqlDb, name: str, timeout_seconds: float) -> None:
    """Drop a stream or table with its query."""
    source = ksqldb.describe().get(name)
    if source is not None:
        run_statement(ksqldb, f"DROP {source.kind} `{name}`;", {}, f"DROP {name}", timeout_seconds)
