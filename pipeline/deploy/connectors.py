"""Connectors: created or changed, and awaited until every task runs."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.clients.connector_states import await_at_work, stopped
from pipeline.deploy.step import Step
from pipeline.plan.change import Change
from pipeline.plan.deployed import Recorded


def deploy_connectors(step: Step) -> Iterator[Change]:
    """Yield each connector's change when the connector and all of its tasks run, or are paused as before.

    Raises RejectedError for a task that FAILED, NotReadyError when it takes longer than the step's timeout.
    """
    connect = step.servers.connect
    declared = {connector.name: connector for connector in step.project.connectors}
    there = [change.name for change in step.changes if change.action == "update"]
    with stopped(connect, there, timeout_seconds=step.timeout_seconds):
        for change in step.changes:
            connector = declared[change.name]
            connect.put(connector.name, connector.config)
            recorded = Recorded(str(connector.path), connector.text)
            step.record.deployed(change.identity, recorded, created=change.action == "create")
    for change in step.changes:
        await_at_work(connect, change.name, timeout_seconds=step.timeout_seconds)
        yield change


def delete_connectors(step: Step) -> Iterator[Change]:
    """Yield each connector's change when it is gone."""
    for change in step.changes:
        step.servers.connect.delete(change.name)
        step.record.deleted(change.identity)
        yield change
