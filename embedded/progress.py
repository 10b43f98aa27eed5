"""What a person sees while artifacts are downloaded: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn


class DownloadProgress:
    """Shows one line of overall progress on stderr; safe to call from several threads."""

    def __init__(self, files: int) -> None:
        self._files = files
        self._finished = 0
        self._console = Console(stderr=True)
        self._bar: Progress | None = None
        self._total = 0
        self._task = TaskID(0)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
            self._bar = Progress(*columns, console=self._console)
            self._bar.start()
            self._task = self._bar.add_task(self._description(), total=None)
        else:
            self._line(f"downloading {self._files} files from Maven Central (once per user)")
        return self

    def __exit__(self, *_exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    @contextmanager
    def file(self, _name: str, size: int) -> Iterator[Callable[[int], None]]:
        """Follow the download of one file of ``size`` bytes; yields what to call with each chunk's length."""
        self._total += size
        if self._bar is not None:
            self._bar.update(self._task, total=self._total)
        yield self._advance

    def finished(self, name: str) -> None:
        """Say that one more file is there, complete and verified."""
        self._finished += 1
        if self._bar is not None:
            self._bar.update(self._task, description=self._description())
        else:
            self._line(f"downloaded {name} ({self._finished} of {self._files})")

    def _advance(self, count: int) -> None:
        if self._bar is not None:
            self._bar.advance(self._task, count)

    def _description(self) -> str:
        return f"downloading {self._finished} of {self._files} files"

    @staticmethod
    def _line(text: str) -> None:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
