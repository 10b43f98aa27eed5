"""Having connectors do something, and seeing that they do.

Connect answers before it has carried out what it was told, and shows until then what was before: tasks that run, though
they will fail with their new settings, or that FAILED although they are about to run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipeline.clients.connect import Connect, ConnectorStatus
from pipeline.errors import RejectedError
from pipeline.waiting import wait_until


@contextmanager
def stopped(connect: Connect, names: Sequence[str], *, timeout_seconds: float) -> Iterator[None]:
    """Stop connectors, and let them run again at the end, with new tasks, whatever happens.

    One that is stopped has no tasks, so what is seen of it afterwards is new. Raises NotReadyError.
    """
    try:
        for name in names:
            connect.stop(name)
        for name in names:
            _await_stopped(connect, name, timeout_seconds)
        yield
    finally:
        for name in names:
            connect.resume(name)


def restart(connect: Connect, names: Sequence[str], *, timeout_seconds: float) -> None:
    """Have connectors begin anew where they stand; they run a moment after this returns. Raises NotReadyError."""
    with stopped(connect, names, timeout_seconds=timeout_seconds):
        pass


def _await_stopped(connect: Connect, name: str, timeout_seconds: float) -> None:
    wait_until(
        lambda: (status := connect.status(name)) and status.is_all("STOPPED"),
        awaiting=f"connector {name} to have no task",
        timeout_seconds=timeout_seconds,
    )


def await_state(connect: Connect, name: str, state: str, *, timeout_seconds: float) -> None:
    """Return when a connector and all of its tasks are in a state; RUNNING are at least one.

    Raises RejectedError with the first reason as soon as something FAILED, NotReadyError after ``timeout_seconds``.
    """

    def reached() -> bool:
        status = status_unless_failed(connect, name)
        return status is not None and status.is_all(state)

    awaiting = f"connector {name} and all its tasks to be {state}"
    wait_until(reached, awaiting=awaiting, timeout_seconds=timeout_seconds)


def status_unless_failed(connect: Connect, name: str) -> ConnectorStatus | None:
    """Return a connector's status, None while Connect does not know it.

    Raises RejectedError with the first reason if the connector or one of its tasks FAILED.
    """
    status = connect.status(name)
    if status is not None and status.failure:
        message = f"connector {name} FAILED: {status.failure}"
        raise RejectedError(message)
    return status
