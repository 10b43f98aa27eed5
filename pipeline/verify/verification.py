"""The outcome of one verification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipeline.clients.positions import Position

FIRST = 20


@dataclass(frozen=True, slots=True)
class Range:
    """Which records are looked at: those that were sent in it; None is no limit."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def parameters(self) -> dict[str, object]:
        """The limits, for SQL."""
        return {"since": self.since or "-infinity", "until": self.until or "infinity"}


ALL = Range()


@dataclass(frozen=True, slots=True)
class Partition:
    """What a partition holds, and what became of it.

    ``earliest`` to ``end`` is what Kafka has now, ``first`` to ``end`` what was read but for ``unread`` offsets, which
    retention had removed by then; ``markers`` are offsets without a record (ends of transactions, or what compaction
    removed). ``committed`` is the sink's position.
    """

    topic: str
    partition: int
    earliest: int
    first: int
    end: int
    committed: int
    records: int
    markers: int
    unread: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    erased: int = 0
    in_flight: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """A record that is nowhere behind its topic, and why that is certain."""

    position: Position
    event_id: str | None
    user_id: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Unexpected:
    """A row that no record accounts for; ``where`` is its table."""

    where: str
    what: str
    user_id: str | None


@dataclass(frozen=True, slots=True)
class Altered:
    """A row that is not what its record says: expected and actual values of the columns that differ."""

    event_id: str
    position: Position
    expected: Mapping[str, Any]
    actual: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StatsDifference:
    """A user whose row differs: expected and actual values of the columns that do; None where there is no row.

    ``erased``: the user was erased and has sent nothing since, yet has a row.
    """

    user_id: str
    expected: Mapping[str, Any] | None
    actual: Mapping[str, Any] | None
    erased: bool = False


@dataclass(frozen=True, slots=True)
class ProfileDifference:
    """A user whose row in users is not what the last record says: the columns that differ; None where there is no row.

    ``position`` is that record's; None where there is none.
    """

    user_id: str
    position: Position | None
    expected: Mapping[str, Any] | None
    actual: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Findings:
    """One kind of difference: how many there are, and the first of them."""

    count: int = 0
    first: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Verification:
    """Exact accounts of one moment: every record of the topic is in exactly one of the counts behind ``records``.

    ``records`` = ``distinct_events`` + ``duplicates`` + ``unreadable`` + ``erased``, and every record has a row, is a
    dead letter, in flight, arriving or missing; ``arriving`` is what is on its way and was sent after the verification
    began: later ones prove it. ``unproven`` are rows without a record from before the sink had passed records
    that retention removed unread: nothing tells whether anybody sent them;
    ``refused_by_ksqldb`` are events that ksqlDB left out, because they were ahead of its clock or too old;
    ``users_not_compared`` are users with events after they were erased, ``users_moving`` users for whom events kept
    coming: their rows lay between what SQL computed before and after. ``profiles`` are rows of users;
    ``profiles_refused`` have a last record that is a dead letter, so that nothing tells which row they should have.
    """

    records: int = 0
    distinct_events: int = 0
    duplicates: int = 0
    unreadable: int = 0
    erased: int = 0
    rows: int = 0
    unproven: int = 0
    dead_letters: int = 0
    letters: Mapping[str, int] = field(default_factory=dict)
    in_flight: int = 0
    arriving: int = 0
    users: int = 0
    users_not_compared: int = 0
    users_moving: int = 0
    profiles: int = 0
    profiles_in_flight: int = 0
    profiles_arriving: int = 0
    profiles_refused: int = 0
    refused_by_ksqldb: int = 0
    missing: Findings = Findings()
    unexpected: Findings = Findings()
    altered: Findings = Findings()
    users_mismatched: Findings = Findings()
    profiles_mismatched: Findings = Findings()
    partitions: tuple[Partition, ...] = ()
    waiting_for: str = ""

    def counts(self) -> dict[str, int]:
        """Return what keeps this from being ok, by name."""
        return {
            "in_flight": self.in_flight,
            "missing": self.missing.count,
            "unexpected": self.unexpected.count,
            "altered": self.altered.count,
            "users_mismatched": self.users_mismatched.count,
            "profiles_in_flight": self.profiles_in_flight,
            "profiles_mismatched": self.profiles_mismatched.count,
        }

    @property
    def ok(self) -> bool:
        """Whether nothing is lost, nothing is there twice, nothing is on its way, all statistics and profiles right."""
        return not any(self.counts().values())
