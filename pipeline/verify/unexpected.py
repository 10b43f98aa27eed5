"""Rows and dead letters that no record accounts for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from pipeline.verify.counting import NAMES, is_complete, number
from pipeline.verify.topics import EVENTS, LETTERS
from pipeline.verify.verification import ALL, FIRST, Findings, Range, Unexpected

_UNKNOWN_ROWS = """
SELECT event.event_id::text AS what, event.user_id, event.ingested_at >= %(since)s AND event.ingested_at < %(until)s
    AS inside
FROM {rows} AS event
WHERE NOT EXISTS (SELECT FROM verified_records AS record WHERE record.event_id = event.event_id)
    AND NOT EXISTS (SELECT FROM verified_letters AS retry WHERE retry.event_id = event.event_id)
"""
_UNKNOWN_LETTERS = """
SELECT letter.source_topic || '-' || letter.source_partition || '@' || letter.source_offset AS what,
    NULL AS user_id, letter.first_seen >= %(since)s AND letter.first_seen < %(until)s AS inside
FROM dead_letter_queue AS letter
WHERE letter.connector = %(sink)s
    AND NOT EXISTS (
        SELECT FROM verified_letters AS record
        WHERE record.topic = %(letters)s
            AND (record.origin_topic, record.origin_partition, record.origin_offset)
                = (letter.source_topic, letter.source_partition, letter.source_offset)
    )
"""
_COUNTS = "SELECT count(*), count(*) FILTER (WHERE inside) FROM ({unknown}) AS unknown"
_FIRST = "SELECT what, user_id FROM ({unknown}) AS unknown WHERE inside ORDER BY what LIMIT %(first)s"


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What no record accounts for; of ``unproven`` rows nobody can say, as retention removed records unread.

    ``all_unproven`` counts those outside of the range, too; ``unread_letters`` are rows of dead_letter_queue whose dead
    letters retention removed unread. ``is_clean``: neither inside nor outside of the range is anything unexpected.
    """

    unexpected: Findings
    unproven: int
    all_unproven: int
    unread_letters: int
    is_clean: bool


def find_unexpected(connection: psycopg.Connection, rows: sql.Composable, span: Range) -> Unexplained:
    """Look among ``rows`` of user_events, and among all dead letters."""
    parameters = {**NAMES, **span.parameters, "first": FIRST}
    all_rows, rows_inside = _unknown(connection, "user_events", sql.SQL(_UNKNOWN_ROWS).format(rows=rows), parameters)
    all_letters, letters_inside = _unknown(connection, "dead_letter_queue", sql.SQL(_UNKNOWN_LETTERS), parameters)
    events_are_complete, letters_are_complete = is_complete(connection, EVENTS), is_complete(connection, LETTERS)
    strangers = rows_inside if events_are_complete else Findings()
    letters = letters_inside if letters_are_complete else Findings()
    return Unexplained(
        Findings(strangers.count + letters.count, (*strangers.first, *letters.first)[:FIRST]),
        unproven=0 if events_are_complete else rows_inside.count,
        all_unproven=0 if events_are_complete else all_rows,
        unread_letters=0 if letters_are_complete else all_letters,
        is_clean=not (events_are_complete and all_rows) and not (letters_are_complete and all_letters),
    )


def count_unknown_letters(connection: psycopg.Connection) -> int:
    """Return how many rows of dead_letter_queue are of no dead letter that was read."""
    statement = sql.SQL(_COUNTS).format(unknown=sql.SQL(_UNKNOWN_LETTERS))
    return number(connection, statement, **NAMES, **ALL.parameters)


def _unknown(
    connection: psycopg.Connection, where: LiteralString, unknown: sql.Composable, parameters: dict[str, Any]
) -> tuple[int, Findings]:
    """Return how many there are, and those inside of the range."""
    row = connection.execute(sql.SQL(_COUNTS).format(unknown=unknown), parameters).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    count, inside = row
    rows = connection.execute(sql.SQL(_FIRST).format(unknown=unknown), parameters) if inside else ()
    return count, Findings(inside, tuple(Unexpected(where, *one) for one in rows))
