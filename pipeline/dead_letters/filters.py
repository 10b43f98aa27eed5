"""Which letters: filters as a WHERE clause, and what only Python can judge."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from pipeline.dead_letters.letter import Letter, Status

_CONDITIONS = {
    "ids": "id = ANY(%(ids)s)",
    "connector": "connector = %(connector)s",
    "since": "first_seen >= %(since)s",
    "until": "first_seen < %(until)s",
    "user": "event_key = convert_to(%(user)s, 'UTF8')",
    "statuses": "status = ANY(%(statuses)s)",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What letters must have in common; an empty filter lets all pass. ``reason`` is part of the normalised reason."""

    ids: tuple[int, ...] = ()
    connector: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    user: str | None = None
    statuses: tuple[Status, ...] = ()

    def where(self) -> tuple[str, dict[str, Any]]:
        """Return a condition in SQL and its parameters; it knows nothing of ``reason``."""
        chosen = {name: value for name in _CONDITIONS if (value := getattr(self, name)) not in (None, ())}
        parameters = {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()}
        return " AND ".join(_CONDITIONS[name] for name in chosen) or "true", parameters

    def matches_reason(self, letter: Letter) -> bool:
        """Whether the letter failed for a reason that contains the text, in any case."""
        return self.reason is None or self.reason.casefold() in letter.reason.casefold()

    def document(self) -> dict[str, Any]:
        """Return the filters in force as JSON, for the record of actions."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in values.items()
            if value not in (None, ())
        }
