"""Connectors: created or changed, and awaited until every task runs."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.clients.connect import Connect
from pipeline.deploy.step import Step
from pipeline.errors import RejectedError
from pipeline.plan.change import Change
from pipeline.plan.deployed import Recorded
from pipeline.waiting import wait_until


def deploy_connectors(step: Step) -> Iterator[Change]:
    """Yield each connector's change when the connector and all of its tasks are RUNNING.

    Raises RejectedError for a task that FAILED, NotReadyError when it takes longer than the step's timeout.
    """
    declared = {connector.name: connector for connector in step.project.connectors}
    for change in step.changes:
        connector = declared[change.name]
        step.servers.connect.put(connector.name, connector.config)
        recorded = Recorded(str(connector.path), connector.text)
        step.record.deployed(change.identity, recorded, created=change.action == "create")
    for change in step.changes:
        await_connector(step.servers.connect, change.name, step.timeout_seconds)
        yield change


def delete_connectors(step: Step) -> Iterator[Change]:
    """Yield each connector's change when it is gone."""
    for change in step.changes:
        step.servers.connect.delete(change.name)
        step.record.deleted(change.identity)
        yield change


def await_connector(connect: Connect, name: str, timeout_seconds: float) -> None:
    """Return when a connector and all of its tasks are RUNNING. Raises RejectedError if one FAILED."""

    def running() -> bool:
        status = connect.status(name)
        if status is not None and status.failure:
            message = f"connector {name} FAILED: {status.failure}"
            raise RejectedError(message)
        return status is not None and status.running

    wait_until(running, awaiting=f"connector {name} and all its tasks to be RUNNING", timeout_seconds=timeout_seconds)
