"""Processes that this launcher started, recognised by pid and start time so that a reused pid is never touched."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Identity:
    """A process: its pid, when it was created, and the signal that asks it to stop.

    On Linux that is the boot and the clock ticks since then, which no step of the wall clock moves; elsewhere, and in
    state files of older versions, seconds since the epoch.
    """

    pid: int
    created: float | str
    stop_signal: int = signal.SIGTERM


def identify(pid: int, stop_signal: int = signal.SIGTERM) -> Identity:
    """Return the identity of a running process."""
    return Identity(pid, _created(pid) if psutil.LINUX else psutil.Process(pid).create_time(), stop_signal)


def _created(pid: int) -> str:
    """Return the id of the boot and the process's start in ticks since then (proc_pid_stat(5), field 22)."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
    except (FileNotFoundError, ProcessLookupError) as error:
        raise psutil.NoSuchProcess(pid) from error
    return f"{boot}/{after_name.split()[19]}"


def find(identity: Identity | None) -> psutil.Process | None:
    """Return the process if it still runs; a zombie does not."""
    if identity is None:
        return None
    try:
        process = psutil.Process(identity.pid)
        same = _was_created(process, identity.created)
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _was_created(process: psutil.Process, when: float | str) -> bool:
    if isinstance(when, str):
        return _created(process.pid) == when
    # Some systems state the time with a small error from one boot of the clock to the next.
    return abs(process.create_time() - when) < 1


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
    """End processes: ask all to stop, wait, SIGKILL to those (and their children) still there at the deadline."""
    running = {process: identity.stop_signal for identity in identities if (process := find(identity))}
    family = {process.pid: _children(process) for process in running}
    for process, stop_signal in running.items():
        _send(process, stop_signal)
    _gone, alive = psutil.wait_procs(list(running), timeout=deadline_seconds)
    for process in alive:
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            for member in (process, *family[process.pid]):
                _send(member, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _send(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
