"""Having connectors do something, and seeing that they do.

Connect answers before it has carried out what it was told, and shows until then what was before: tasks that run, though
they will fail with their new settings, or that FAILED although they are about to run.

A connector that somebody wants at rest is PAUSED (`pipeline connectors pause`), and stays so. STOPPED is only what is
about to run again: one that is found so was left behind by a command that was killed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipeline.clients.connect import Connect, ConnectorStatus
from pipeline.errors import InterruptionError, NotReadyError, RejectedError, ServerError
from pipeline.interruption import uninterrupted
from pipeline.waiting import wait_until


@contextmanager
def stopped(connect: Connect, names: Sequence[str], *, timeout_seconds: float) -> Iterator[None]:
    """Stop connectors that are not paused, and let them run again at the end, with new tasks, whatever happens.

    One that is stopped has no tasks, so what is seen of it afterwards is new. Raises NotReadyError naming those that
    could not be resumed, InterruptionError where Ctrl-C or SIGTERM ended the block.
    """
    at_work = [name for name in names if (status := connect.status(name)) is None or status.state != "PAUSED"]
    resume_seconds = timeout_seconds
    try:
        for name in at_work:
            connect.stop(name)
        for name in at_work:
            _await_stopped(connect, name, timeout_seconds)
        yield
    except KeyboardInterrupt as error:
        if not at_work:
            raise
        resume_seconds = 0  # somebody waits for the end
        message = f"interrupted; resumed what was stopped for it: {', '.join(at_work)}"
        raise InterruptionError(message) from error
    finally:
        with uninterrupted():
            _resume(connect, at_work, resume_seconds)


def _resume(connect: Connect, names: Sequence[str], timeout_seconds: float) -> None:
    """Resume all, also where Connect must first come back. Raises NotReadyError with what is left, and the remedy."""
    left = list(names)
    reasons: list[ServerError] = []

    def all_resumed() -> bool:
        for name in tuple(left):
            try:
                connect.resume(name)
            except ServerError as error:
                reasons.append(error)
            else:
                left.remove(name)
        return not left

    try:
        wait_until(all_resumed, awaiting="Connect to resume connectors", timeout_seconds=timeout_seconds)
    except NotReadyError as error:
        message = (
            f"left STOPPED: {', '.join(left)} ({reasons[-1]}). `pipeline connectors resume {' '.join(left)}`, "
            "or the next `pipeline deploy`, lets them run."
        )
        raise NotReadyError(message) from error


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


def await_state(connect: Connect, name: str, *states: str, timeout_seconds: float) -> None:
    """Return when a connector and all of its tasks are in one of some states; RUNNING are at least one.

    Raises RejectedError with the first reason as soon as something FAILED, NotReadyError after ``timeout_seconds``.
    """

    def reached() -> bool:
        status = status_unless_failed(connect, name)
        return status is not None and any(map(status.is_all, states))

    awaiting = f"connector {name} and all its tasks to be {' or '.join(states)}"
    wait_until(reached, awaiting=awaiting, timeout_seconds=timeout_seconds)


def await_at_work(connect: Connect, name: str, *, timeout_seconds: float) -> None:
    """Return when a connector and all of its tasks run, or are paused, as somebody wants them to be; raises alike."""
    await_state(connect, name, "RUNNING", "PAUSED", timeout_seconds=timeout_seconds)


def status_unless_failed(connect: Connect, name: str) -> ConnectorStatus | None:
    """Return a connector's status, None while Connect does not know it.

    Raises RejectedError with the first reason if the connector or one of its tasks FAILED.
    """
    status = connect.status(name)
    if status is not None and status.failure:
        message = f"connector {name} FAILED: {status.failure}"
        raise RejectedError(message)
    return status
