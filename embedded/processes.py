"""Processes that this launcher started, recognised by pid and start time so that a reused pid is never touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class Identity:
    """A process: its pid and when it was created, in seconds since the epoch."""

    pid: int
    created: float


def identify(pid: int) -> Identity:
    """Return the identity of a running process."""
    return Identity(pid, psutil.Process(pid).create_time())


def find(identity: Identity | None) -> psutil.Process | None:
    """Return the process if it still runs; a zombie does not."""
    if identity is None:
        return None
    try:
        process = psutil.Process(identity.pid)
        # Some systems state the time with a small error from one boot of the clock to the next.
        same = abs(process.create_time() - identity.created) < 1
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def resident_bytes(identity: Identity | None) -> int:
    """Return the memory of a process and its children: pages they share are counted once where the system tells."""
    process = find(identity)
    if process is None:
        return 0
    total = 0
    try:
        for member in (process, *process.children(recursive=True)):
            try:
                total += member.memory_full_info().pss
            except (AttributeError, psutil.AccessDenied):
                total += member.memory_info().rss
            except psutil.NoSuchProcess:
                continue
    except psutil.NoSuchProcess:
        return total
    return total


def terminate(identities: Sequence[Identity], deadline_seconds: float) -> None:
    """End processes: SIGTERM to all, wait, SIGKILL to those (and their children) still there at the deadline."""
    running = [process for process in map(find, identities) if process is not None]
    family = {process.pid: _children(process) for process in running}
    for process in running:
        _signal(process, "terminate")
    _gone, alive = psutil.wait_procs(running, timeout=deadline_seconds)
    for process in alive:
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            for member in (process, *family[process.pid]):
                _signal(member, "kill")
    psutil.wait_procs(alive, timeout=5)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _signal(process: psutil.Process, action: str) -> None:
    try:
        getattr(process, action)()
    except psutil.NoSuchProcess:
        return
