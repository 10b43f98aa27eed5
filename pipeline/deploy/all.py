"""A whole deployment: a plan carried out in order, to its end or to the first failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import psycopg

from pipeline.clients.connector_states import await_at_work, restart
from pipeline.clients.postgres import connect
from pipeline.declared.files import Files
from pipeline.deploy.acls import deploy_acls
from pipeline.deploy.connectors import delete_connectors, deploy_connectors
from pipeline.deploy.ksql import delete_ksql, deploy_ksql
from pipeline.deploy.lock import deployment_lock
from pipeline.deploy.record import Record
from pipeline.deploy.schemas import delete_schemas, deploy_schemas
from pipeline.deploy.statements import await_running
from pipeline.deploy.step import Step
from pipeline.deploy.tables import deploy_migrations, deploy_tables
from pipeline.deploy.topics import delete_topics, deploy_topics
from pipeline.errors import DriftError, PipelineError, RejectedError, StoppedError
from pipeline.plan.change import CHANGING, KINDS, Change, Kind
from pipeline.plan.compare import Options
from pipeline.plan.plan import Plan, make_plan
from pipeline.plan.servers import Servers, servers_of
from pipeline.settings import Settings

Carry = Callable[[Step], Iterator[Change]]
_DELETE: Mapping[Kind, Carry] = {
    "connector": delete_connectors,
    "ksql": delete_ksql,
    "schema": delete_schemas,
    "topic": delete_topics,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one change: done (unchanged objects, too), or left where a deployment stopped."""

    change: Change
    state: Literal["done", "left"]


@dataclass(frozen=True, slots=True)
class Waits:
    """How long, in seconds: for each object to become healthy, and for another deployment to end."""

    healthy_seconds: float = 120
    lock_seconds: float = 60


def deploy(
    files: Files,
    settings: Settings,
    options: Options | None = None,
    *,
    waits: Waits | None = None,
    shown: Plan | None = None,
) -> Iterator[Outcome]:
    """Plan, and carry the plan out; yield an outcome for every object as it happens.

    With ``shown``, a plan that somebody has seen, exactly that is done. Raises DriftError if it would be another by
    now, RejectedError if the plan is refused (nothing has changed then), StoppedError at the first failure or an
    interruption.
    """
    waits = waits or Waits()
    servers = servers_of(settings)
    with (
        connect(settings.postgres_dsn, autocommit=True) as connection,
        deployment_lock(connection, waits.lock_seconds),
    ):
        plan = make_plan(files, servers, options or Options())
        if shown is not None:
            _refuse_another(plan, shown)
        if plan.refusals:
            raise RejectedError("nothing was changed: " + "; ".join(dict.fromkeys(plan.refusals)))
        yield from _carry_out(plan, servers, connection, waits)


def _refuse_another(plan: Plan, shown: Plan) -> None:
    before = {change.identity: _without_counts(change) for change in shown.changes}
    moved = [change for change in plan.changes if before.get(change.identity) != _without_counts(change)]
    if moved or len(before) != len(plan.changes):
        named = ", ".join(f"{change.kind} {change.name}" for change in moved) or "an object that is gone"
        raise DriftError(
            f"something has changed since this plan was made: {named}. Make a new one: pipeline plan --out"
        )


def _without_counts(change: Change) -> Change:
    """Leave out the consequences: they count the records of topics that go on growing."""
    return replace(change, consequences=())


def _carry_out(plan: Plan, servers: Servers, connection: psycopg.Connection, waits: Waits) -> Iterator[Outcome]:
    todo = [change for change in plan.changes if change.action in CHANGING]
    yield from (Outcome(change, "done") for change in plan.changes if change not in todo)
    if not todo:
        _await_health(plan, servers, waits.healthy_seconds)
        return
    record = Record(connection, plan.files)
    project = plan.project
    done: set[object] = set()
    try:
        for changes, carry in _steps(plan, todo):
            step = Step(changes, project, servers, connection, record, waits.healthy_seconds)
            for change in carry(step):
                done.add(change.identity)
                yield Outcome(change, "done")
        _restart_failed(plan, servers, waits.healthy_seconds)
        _await_health(plan, servers, waits.healthy_seconds)
    except (PipelineError, KeyboardInterrupt) as error:
        record.ended("failed")
        yield from (Outcome(change, "left") for change in todo if change.identity not in done)
        message = (
            f"{str(error) or 'interrupted'} — {len(done)} of {len(todo)} changes are done. Repair the cause and run "
            "`pipeline deploy` again to go on, or `pipeline rollback` to go back."
        )
        raise StoppedError(message) from error
    record.ended("deployed")


def _steps(plan: Plan, todo: list[Change]) -> Iterator[tuple[list[Change], Carry]]:
    """Yield what to do, kind by kind: first what is declared, then, in reverse, what is declared no longer."""
    carry: Mapping[Kind, Carry] = {
        "acl": deploy_acls,
        "topic": deploy_topics,
        "schema": deploy_schemas,
        "migration": partial(deploy_migrations, fresh=plan.is_fresh_database),
        "table": deploy_tables,
        "ksql": deploy_ksql,
        "connector": deploy_connectors,
    }
    for kind in KINDS:
        changes = [change for change in todo if change.kind == kind and change.action != "delete"]
        if changes:
            yield changes, carry[kind]
    for kind in reversed(KINDS):
        changes = [change for change in todo if change.kind == kind and change.action == "delete"]
        if changes:
            yield changes, _DELETE[kind]


def _restart_failed(plan: Plan, servers: Servers, timeout_seconds: float) -> None:
    """Restart declared connectors that FAILED, perhaps for want of what is there now."""
    declared = _declared(plan, "connector")
    statuses = servers.connect.statuses() if declared else []
    failed = [status.name for status in statuses if status.name in declared and status.failure]
    restart(servers.connect, failed, timeout_seconds=timeout_seconds)


def _await_health(plan: Plan, servers: Servers, timeout_seconds: float) -> None:
    """Return when every declared query and connector runs, also those that were left as they are; or is paused."""
    queries = set(_declared(plan, "ksql"))
    if queries:
        await_running(servers.ksqldb, queries, timeout_seconds, or_paused=True)
    for name in _declared(plan, "connector"):
        await_at_work(servers.connect, name, timeout_seconds=timeout_seconds)


def _declared(plan: Plan, kind: Kind) -> list[str]:
    return [change.name for change in plan.changes if change.kind == kind and change.action not in {"delete", "keep"}]
