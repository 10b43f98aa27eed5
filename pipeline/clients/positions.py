"""Where a record is in Kafka."""

from __future__ import annotations

from typing import NamedTuple


class Position(NamedTuple):
    """Where a record is."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}@{self.offset}"
