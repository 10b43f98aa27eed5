"""Processor time and resident memory of every server of a stack."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psutil

from pipeline.clients.embedded import EmbeddedStack

MIB = 2**20


@dataclass
class Load:
    """What ran in between: seconds by the clock, and processor seconds and MiB by server."""

    seconds: float = 0.0
    processor_seconds: dict[str, float] = field(default_factory=dict)
    resident_mib: dict[str, float] = field(default_factory=dict)


@contextmanager
def measured_load(stack: EmbeddedStack) -> Iterator[Load]:
    """Yield a Load that is filled in when the block ends."""
    load = Load()
    begun, before = time.monotonic(), _processor_seconds(stack)
    yield load
    load.seconds = time.monotonic() - begun
    after = _processor_seconds(stack)
    load.processor_seconds = {name: after[name] - before[name] for name in before}
    load.resident_mib = {server.name: server.rss_bytes / MIB for server in stack.servers()}


def _processor_seconds(stack: EmbeddedStack) -> dict[str, float]:
    return {server.name: _with_children(psutil.Process(server.pid)) for server in stack.servers() if server.pid}


def _with_children(process: psutil.Process) -> float:
    """Return the processor seconds of a process, its children, and those of its children that ended."""
    own = process.cpu_times()
    total = own.user + own.system + own.children_user + own.children_system
    for child in process.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue  # it ended just now: its parent's children_user holds it
        total += times.user + times.system
    return float(total)
