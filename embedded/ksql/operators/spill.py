"""Packed states out of the way: once a store has many, they are in an anonymous temporary file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import IO, TypeAlias

Packed: TypeAlias = bytes | int  # the bytes themselves, or their position in the file and their size

BUFFER_BYTES = 1 << 20
MEMORY_BYTES = 32 << 20
#: Values of this size are shared constants and not counted
_SHARED = 1
#: A value's size is in the low bits of what tells where it is; one that is larger stays in memory
_SIZE_BITS = 26
_SIZES = (1 << _SIZE_BITS) - 1


class Spill:
    """Where one store's packed states are.

    Up to ``MEMORY_BYTES`` they are in memory. Beyond, they are appended to a file, which costs the memory of its
    last megabyte. The file has no name and ends with the process: what must survive is in the changelog topic.
    """

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._tail = bytearray()
        self._written = 0
        self._live = 0

    def store(self, values: Sequence[bytes]) -> Sequence[Packed]:
        """Keep values; return what to load each with."""
        sizes = [len(value) for value in values]
        self._live += sum([size for size in sizes if size > _SHARED])
        if self._file is None or max(sizes, default=0) > _SIZES:
            return values
        starts = accumulate(sizes, initial=self._written + len(self._tail))
        self._tail += b"".join(values)
        if len(self._tail) >= BUFFER_BYTES:
            self._write()
        return [
            start << _SIZE_BITS | size if size > _SHARED else value
            for start, size, value in zip(starts, sizes, values, strict=False)
        ]

    def store_one(self, value: bytes) -> Packed:
        """Keep a value; return what to load it with."""
        size = len(value)
        if size <= _SHARED:
            return value
        self._live += size
        if self._file is None or size > _SIZES:
            return value
        start = self._written + len(self._tail)
        self._tail += value
        if len(self._tail) >= BUFFER_BYTES:
            self._write()
        return start << _SIZE_BITS | size

    def load(self, found: Packed) -> bytes:
        """Return a value that was stored."""
        if isinstance(found, bytes):
            return found
        position, size = found >> _SIZE_BITS, found & _SIZES
        start = position - self._written
        if start >= 0:
            return bytes(self._tail[start : start + size])
        return os.pread(self._descriptor, size, position)

    def discard(self, found: Packed) -> None:
        """Say that a value is not needed any more."""
        if isinstance(found, int):
            self._live -= found & _SIZES
        elif len(found) > _SHARED:
            self._live -= len(found)

    @property
    def is_due(self) -> bool:
        """Whether values should move: too many in memory, or more garbage than values in the file."""
        if self._file is None:
            return self._live > MEMORY_BYTES
        return self._written > 2 * self._live + MEMORY_BYTES

    def move(self, tables: Iterable[dict[bytes, Packed]]) -> None:
        """Move all values into a new file. ``tables`` are all dictionaries that hold what ``store`` returned."""
        target = Spill()
        target._file = tempfile.TemporaryFile(prefix="ksql-state-", buffering=0)  # noqa: SIM115 - see close
        for table in tables:
            for key, found in table.items():
                table[key] = target.store_one(self.load(found))
        self.close()
        self._file, target._file = target._file, None
        self._tail, self._written, self._live = target._tail, target._written, target._live

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __del__(self) -> None:
        self.close()

    @property
    def _descriptor(self) -> int:
        assert self._file is not None  # noqa: S101 - positions are only given out for a file
        return self._file.fileno()

    def _write(self) -> None:
        written = os.write(self._descriptor, self._tail)
        if written != len(self._tail):
            raise OSError(f"only {written} of {len(self._tail)} bytes of state fit into {tempfile.gettempdir()}")
        self._written += written
        self._tail.clear()
