"""Connectors by name: what one is, what it does, and waiting until it does what it was told."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pipeline.clients.connect import Connect, ConnectorDescription
from pipeline.errors import PipelineError, RejectedError
from pipeline.waiting import wait_until


def find(connect: Connect, name: str) -> ConnectorDescription:
    """Return a connector. Raises PipelineError naming those that there are."""
    return choose(connect, [name])[0]


def choose(connect: Connect, names: Collection[str]) -> list[ConnectorDescription]:
    """Return the named connectors, all of them if none is named. Raises PipelineError naming those that there are."""
    there = {each.status.name: each for each in connect.describe()}
    unknown = [name for name in names if name not in there]
    if unknown:
        message = f"there is no connector {', '.join(unknown)}; there are: {', '.join(there) or 'none'}"
        raise PipelineError(message)
    return [there[name] for name in names or there]


def await_state(connect: Connect, names: Sequence[str], state: str, *, timeout_seconds: float) -> None:
    """Wait until connectors and all their tasks are in a state.

    Raises RejectedError as soon as one FAILED, NotReadyError after ``timeout_seconds``.
    """
    for name in names:

        def reached(name: str = name) -> bool:
            status = connect.status(name)
            if status is not None and status.failure:
                message = f"connector {name} FAILED: {status.failure}"
                raise RejectedError(message)
            return status is not None and all(
                each == state for each in (status.state, *(t.state for t in status.tasks))
            )

        awaiting = f"connector {name} and its tasks to be {state}"
        wait_until(reached, awaiting=awaiting, timeout_seconds=timeout_seconds)
