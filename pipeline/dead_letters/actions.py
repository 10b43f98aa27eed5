"""dead_letter_actions: who did what to which letters, when, and what came of it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from pipeline.clients.kafka import Offsets

Action = Literal["replay", "discard", "export"]


@dataclass(frozen=True, slots=True)
class RecordedAction:
    """One row, as it concerns one letter: ``failure`` says why the letter stayed as it was."""

    id: int
    action: Action
    actor: str
    began_at: datetime
    ended_at: datetime | None
    arguments: Mapping[str, Any]
    failure: str | None


def actor() -> str:
    """Return the name of the OS user who runs this, which no environment variable can change."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def record_action(
    connection: psycopg.Connection,
    action: Action,
    arguments: Mapping[str, Any],
    letters: Sequence[int],
    failures: Mapping[int, str] | None = None,
) -> int:
    """Record an action that is complete, and return its id."""
    row = connection.execute(
        "INSERT INTO dead_letter_actions (action, actor, ended_at, arguments, letters, failures, settled) "
        "VALUES (%s, %s, now(), %s, %s, %s, true) RETURNING id",
        (action, actor(), Jsonb(arguments), list(letters), _failures(failures or {})),
    ).fetchone()
    assert row is not None  # noqa: S101 - RETURNING returns
    return int(row[0])


def begin_replay(
    connection: psycopg.Connection, arguments: Mapping[str, Any], connector: str, retry_topic: str, starts: Offsets
) -> int:
    """Record that letters are about to be sent, and return the action's id."""
    row = connection.execute(
        "INSERT INTO dead_letter_actions (action, actor, arguments, letters, connector, retry_topic, retry_starts) "
        "VALUES ('replay', %s, %s, '{}', %s, %s, %s) RETURNING id",
        (actor(), Jsonb(arguments), connector, retry_topic, Jsonb(starts)),
    ).fetchone()
    assert row is not None  # noqa: S101 - RETURNING returns
    return int(row[0])


def end_replay(connection: psycopg.Connection, action_id: int, ends: Offsets, failures: Mapping[int, str]) -> None:
    """Record that all letters of a replay are sent but those that failed."""
    connection.execute(
        "UPDATE dead_letter_actions SET ended_at = now(), retry_ends = %s, failures = failures || %s WHERE id = %s",
        (Jsonb(ends), _failures(failures), action_id),
    )


def read_actions(connection: psycopg.Connection, letter_id: int) -> list[RecordedAction]:
    """Return what was done to a letter, oldest first."""
    rows = connection.execute(
        "SELECT id, action, actor, began_at, ended_at, arguments, failures ->> %(key)s FROM dead_letter_actions "
        "WHERE %(id)s = ANY(letters) OR failures ? %(key)s ORDER BY id",
        {"id": letter_id, "key": str(letter_id)},
    )
    return [RecordedAction(*row) for row in rows]


def _failures(failures: Mapping[int, str]) -> Jsonb:
    return Jsonb({str(letter_id): reason.replace("\x00", "�") for letter_id, reason in failures.items()})
