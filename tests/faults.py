"""Faults that a pipeline has to survive, staged on the servers of a test's stack as a machine or a person would."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
import requests

from access.http import Endpoint
from pipeline.clients.connect import Connect
from pipeline.waiting import wait_until
from tests.accounts import killed, process_of, server
from tests.conftest import Stack
from tests.further_servers import further_worker, settings_of

WAIT_SECONDS = 180.0
PERSON_SECONDS = 10.0  # that a person takes at least to put a table right
WAL_SEGMENT_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong while the context is open. What it broke may take longer to recover."""

    name: str
    staged: Callable[[Stack], AbstractContextManager[None]]


def kill(name: str) -> Fault:
    """Return the fault that a server is killed as the kernel's out-of-memory killer does it."""

    @contextmanager
    def staged(stack: Stack) -> Iterator[None]:
        restarts = server(stack, name).restarts
        killed(stack, name)
        if name == "kafka":  # without which nobody could produce meanwhile
            await_restart(stack, name, restarts)
        yield
        await_restart(stack, name, restarts)

    return Fault(f"kill -9 of {name}", staged)


def await_restart(stack: Stack, name: str, restarts_before: int) -> None:
    """Wait until the launcher has started a server again."""

    def running() -> bool:
        now = server(stack, name)
        return now.restarts > restarts_before and now.state == "running"

    wait_until(running, awaiting=f"{name} to run again", timeout_seconds=WAIT_SECONDS)


@contextmanager
def hanging(*processes: psutil.Process) -> Iterator[None]:
    """Keep processes from running while the context is open."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


@contextmanager
def kept_away(stack: Stack, name: str) -> Iterator[None]:
    """Kill a server, and keep the launcher from starting it while the context is open."""
    restarts = server(stack, name).restarts
    supervisor = process_of(stack, name).parent()
    assert supervisor is not None
    with hanging(supervisor):
        killed(stack, name)
        yield
    await_restart(stack, name, restarts)


def postgres_away(seconds: float) -> Fault:
    """Return the fault that PostgreSQL is gone for a while: killed, and the launcher kept from starting it."""

    @contextmanager
    def staged(stack: Stack) -> Iterator[None]:
        with kept_away(stack, "postgres"), lasting(seconds):
            yield

    return Fault(f"PostgreSQL away for {seconds:g} s", staged)


def registry_away(seconds: float) -> Fault:
    """Return the fault that the registry is gone while tasks start, which then know no schema, and while they stop."""

    @contextmanager
    def staged(stack: Stack) -> Iterator[None]:
        with kept_away(stack, "registry"):
            with lasting(seconds / 2):
                restart_events_sink(stack)
                yield
            with lasting(seconds / 2):
                restart_events_sink(stack)

    return Fault(f"the registry away for {seconds:g} s while tasks start and stop", staged)


def restart_events_sink(stack: Stack) -> None:
    """Have Connect restart the sink of events and its tasks."""
    url = f"{stack.connect_url}/connectors/user-events/restart?includeTasks=true"
    requests.post(url, timeout=60).raise_for_status()


def postgres_hangs(seconds: float) -> Fault:
    """Return the fault that PostgreSQL stops answering without closing a connection."""

    @contextmanager
    def staged(stack: Stack) -> Iterator[None]:
        with hanging(*postgres_processes(stack)), lasting(seconds):
            yield

    return Fault(f"PostgreSQL hangs for {seconds:g} s", staged)


def full_disk(seconds: float) -> Fault:
    """Return the fault that no file of PostgreSQL may grow beyond a size, by the limit of a process's files.

    The write-ahead log is not concerned: its files have their full size from the start.
    """

    @contextmanager
    def staged(stack: Stack) -> Iterator[None]:
        limit_files(stack, WAL_SEGMENT_BYTES)
        try:
            with lasting(seconds):
                yield
        finally:
            limit_files(stack, resource.RLIM_INFINITY)

    return Fault(f"PostgreSQL's files cannot grow for {seconds:g} s", staged)


def limit_files(stack: Stack, size_bytes: int) -> None:
    """Limit the size of files that PostgreSQL's processes, and those they start, can write."""
    for process in postgres_processes(stack):
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


def postgres_processes(stack: Stack) -> list[psutil.Process]:
    """Return PostgreSQL's processes, the one that starts the others first."""
    postmaster = process_of(stack, "postgres")
    return [postmaster, *postmaster.children(recursive=True)]


@contextmanager
def lasting(seconds: float) -> Iterator[None]:
    """Last as long as the fault is meant to."""
    until = time.monotonic() + seconds
    yield
    time.sleep(max(0.0, until - time.monotonic()))


@contextmanager
def second_worker(stack: Stack) -> Iterator[None]:
    """Let a second Connect worker join the first, take over tasks, and leave."""
    with further_worker(stack) as address:
        wait_until(lambda: has_tasks(stack, address), awaiting="the second worker's tasks", timeout_seconds=300)
        yield


@contextmanager
def worker_without_sinks(stack: Stack) -> Iterator[None]:
    """Let a Connect worker join the first that lacks the plugins of the sinks, as one of an older image would."""
    installed = settings_of(process_of(stack, "connect"))["plugin.path"]
    with TemporaryDirectory() as plugins:
        (Path(plugins) / "converter").symlink_to(Path(installed) / "apicurio-converter")
        with further_worker(stack, {"plugin.path": plugins}):
            yield


def has_tasks(stack: Stack, worker: str) -> bool:
    """Whether a worker runs tasks; asked while the group may be rebalancing."""
    try:
        answer = requests.get(f"{stack.connect_url}/connectors?expand=status", timeout=30)
    except requests.RequestException:
        return False
    connectors = answer.json().values() if answer.ok else []
    return any(
        task["worker_id"] == worker and task["state"] == "RUNNING"
        for connector in connectors
        for task in connector["status"]["tasks"]
    )


@contextmanager
def failed_task(stack: Stack) -> Iterator[None]:
    """Fail a task by hand: take a column away from its table, and give it back once the task has FAILED."""
    with psycopg.connect(stack.postgres_dsn, autocommit=True) as connection:
        connection.execute("ALTER TABLE user_events RENAME referrer TO somewhere_else")
        try:
            with lasting(PERSON_SECONDS):
                yield
            wait_until(lambda: has_failed(stack), awaiting="the task to fail", timeout_seconds=WAIT_SECONDS)
        finally:
            connection.execute("ALTER TABLE user_events RENAME somewhere_else TO referrer")


def has_failed(stack: Stack) -> bool:
    """Whether a task of the sink of events is FAILED."""
    status = Connect(Endpoint(stack.connect_url)).status("user-events")
    return status is not None and status.failure is not None


SECOND_WORKER = Fault("a second Connect worker joins and leaves", second_worker)
FAILED_TASK = Fault("a task FAILED until its table was put right", failed_task)
KILLS = tuple(kill(name) for name in ("connect", "ksql", "kafka", "registry", "postgres"))
