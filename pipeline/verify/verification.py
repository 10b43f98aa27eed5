"""The outcome of one verification."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from pipeline.verify.database import StatsDifference
from pipeline.verify.topic import Position


@dataclass(frozen=True, slots=True)
class LostEvent:
    """An event of the topic that is nowhere behind it."""

    event_id: UUID
    position: Position


@dataclass(frozen=True, slots=True)
class Verification:
    """Exact accounts of one moment: every record of the topic is in exactly one of the counts behind ``records``.

    ``records`` = ``distinct_events`` + ``duplicates`` + ``unreadable``, and every event is a row, a dead letter, in
    flight or missing.
    """

    records: int
    distinct_events: int
    duplicates: int
    unreadable: int
    rows: int
    dead_letters: int
    in_flight: int
    users: int
    missing: list[LostEvent] = field(default_factory=list)
    missing_unreadable: list[Position] = field(default_factory=list)
    unexpected: list[UUID] = field(default_factory=list)
    users_mismatched: list[StatsDifference] = field(default_factory=list)
    waiting_for: str = ""

    def counts(self) -> dict[str, int]:
        """Return what keeps this from being ok, by name."""
        return {
            "in_flight": self.in_flight,
            "missing": len(self.missing) + len(self.missing_unreadable),
            "unexpected": len(self.unexpected),
            "users_mismatched": len(self.users_mismatched),
        }

    @property
    def ok(self) -> bool:
        """Whether nothing is lost, nothing is there twice, nothing is on its way and every statistic is right."""
        return not (
            self.in_flight or self.missing or self.missing_unreadable or self.unexpected or self.users_mismatched
        )
