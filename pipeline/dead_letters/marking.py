"""Changing the status of letters, and only of those that are still as they were when they were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import psycopg

from pipeline.dead_letters.letter import Letter, Status
from pipeline.dead_letters.sending import Outgoing


def mark_retrying(connection: psycopg.Connection, action_id: int, letters: Sequence[Outgoing]) -> set[int]:
    """Mark letters that are about to be sent, and return the ids of those that nobody else has changed meanwhile."""
    rows = connection.execute(
        "UPDATE dead_letter_queue AS letter "
        "SET status = 'retrying', status_reason = NULL, row_key = chosen.row_key, action_id = %s "
        "FROM unnest(%s::bigint[], %s::text[], %s::integer[], %s::text[]) AS chosen (id, status, retry_count, row_key) "
        "WHERE letter.id = chosen.id AND letter.status = chosen.status AND letter.retry_count = chosen.retry_count "
        "RETURNING letter.id",
        (
            action_id,
            [outgoing.letter.id for outgoing in letters],
            [outgoing.letter.status for outgoing in letters],
            [outgoing.letter.retry_count for outgoing in letters],
            [_storable(outgoing.row_key) for outgoing in letters],
        ),
    )
    marked = {number for (number,) in rows}
    connection.execute("UPDATE dead_letter_actions SET letters = %s WHERE id = %s", (sorted(marked), action_id))
    return marked


def _storable(row_key: str | None) -> str | None:
    """Return the key, None where PostgreSQL can hold no such text: no row has it."""
    return None if row_key is None or "\0" in row_key else row_key


def put_back(connection: psycopg.Connection, letters: Iterable[Letter], reasons: Mapping[int, str]) -> None:
    """Give letters that were not sent the status they had."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE dead_letter_queue SET status = %s, status_reason = %s, action_id = NULL "
            "WHERE id = %s AND status = 'retrying'",
            [(letter.status, reasons[letter.id], letter.id) for letter in letters if letter.id in reasons],
        )


def mark(
    connection: psycopg.Connection,
    status: Status,
    reasons: Mapping[int, str],
    *,
    action_id: int,
    among: Sequence[Status],
) -> int:
    """Give letters that are in one of the statuses ``among`` another, with a reason each; return how many were."""
    changed = connection.execute(
        "UPDATE dead_letter_queue AS letter SET status = %s, status_reason = chosen.reason, action_id = %s "
        "FROM unnest(%s::bigint[], %s::text[]) AS chosen (id, reason) "
        "WHERE letter.id = chosen.id AND letter.status = ANY(%s)",
        (status, action_id, list(reasons), list(reasons.values()), list(among)),
    )
    return changed.rowcount


def outcomes(connection: psycopg.Connection, action_ids: Sequence[int]) -> Counter[Status]:
    """Return how many letters of these replays are in which status by now."""
    rows = connection.execute(
        "SELECT status, count(*) FROM dead_letter_queue WHERE action_id = ANY(%s) GROUP BY 1", (list(action_ids),)
    )
    return Counter(dict(rows))
