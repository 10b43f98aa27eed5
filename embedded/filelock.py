"""An advisory lock between processes, released by the kernel however the holder ends."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(path: Path, awaited: str) -> Iterator[None]:
    """Hold the lock on ``path``; if another process has it, say what is ``awaited`` and wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write(f"waiting for {awaited}\n")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield
