"""Connectors: validated by the worker, created or changed, and awaited until every task runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.clients.connect import Connect
from pipeline.declared.connectors import Connector
from pipeline.deploy.change import Change
from pipeline.errors import RejectedError
from pipeline.waiting import wait_until


def deploy_connectors(connect: Connect, connectors: Sequence[Connector], *, timeout_seconds: float) -> Iterator[Change]:
    """Yield a change for each connector; return when all of them and all of their tasks are RUNNING.

    Raises RejectedError for an unknown class, an invalid setting or a task that FAILED, NotReadyError when it takes
    longer than ``timeout_seconds``.
    """
    plugins = connect.sink_plugins()
    for connector in connectors:
        yield _deploy(connect, connector, plugins)
    for connector in connectors:
        _await_running(connect, connector.name, timeout_seconds)


def _deploy(connect: Connect, connector: Connector, plugins: list[str]) -> Change:
    connector_class = connector.config["connector.class"]
    if connector_class not in plugins:
        message = f"{connector.path}: {connector_class} is not installed; there are: {', '.join(plugins)}"
        raise RejectedError(message)
    before = connect.config(connector.name)
    if before == connector.config:
        return Change("connector", connector.name, "unchanged")
    if reasons := connect.validate(connector.config):
        message = f"{connector.path}: {'; '.join(reasons)}"
        raise RejectedError(message)
    connect.put(connector.name, connector.config)
    if before is None:
        return Change("connector", connector.name, "created")
    differing = sorted(
        key for key in before.keys() | connector.config.keys() if before.get(key) != connector.config.get(key)
    )
    return Change("connector", connector.name, "updated", ", ".join(differing))


def _await_running(connect: Connect, name: str, timeout_seconds: float) -> None:
    def running() -> bool:
        status = connect.status(name)
        if status is not None and status.failure:
            message = f"connector {name} FAILED: {status.failure}"
            raise RejectedError(message)
        return status is not None and status.running

    wait_until(running, awaiting=f"connector {name} and all its tasks to be RUNNING", timeout_seconds=timeout_seconds)
