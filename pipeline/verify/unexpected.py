"""Rows and dead letters that no record accounts for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import sql

from pipeline.verify.counting import NAMES, is_complete, number
from pipeline.verify.gaps import UNPROVEN_BEFORE
from pipeline.verify.topics import LETTERS
from pipeline.verify.verification import ALL, FIRST, Findings, Range, Unexpected

_UNKNOWN_ROWS = """
SELECT event.event_id::text AS what, event.user_id, event.ingested_at >= %(since)s AND event.ingested_at < %(until)s
    AS inside, event.ingested_at < {unproven_before} AS unproven
FROM {rows} AS event
WHERE NOT EXISTS (SELECT FROM verified_records AS record WHERE record.event_id = event.event_id)
    AND NOT EXISTS (SELECT FROM verified_letters AS retry WHERE retry.event_id = event.event_id)
"""
_UNKNOWN_LETTERS = """
SELECT letter.source_topic || '-' || letter.source_partition || '@' || letter.source_offset AS what,
    NULL AS user_id, letter.first_seen >= %(since)s AND letter.first_seen < %(until)s AS inside,
    %(letters_are_unproven)s AS unproven
FROM dead_letter_queue AS letter
WHERE letter.connector = %(sink)s
    AND NOT EXISTS (
        SELECT FROM verified_letters AS record
        WHERE record.topic = %(letters)s
            AND (record.origin_topic, record.origin_partition, record.origin_offset)
                = (letter.source_topic, letter.source_partition, letter.source_offset)
    )
"""
_COUNTS = """
SELECT count(*) FILTER (WHERE NOT unproven), count(*) FILTER (WHERE NOT unproven AND inside),
    count(*) FILTER (WHERE unproven), count(*) FILTER (WHERE unproven AND inside)
FROM ({unknown}) AS unknown
"""
_FIRST = "SELECT what, user_id FROM ({unknown}) AS unknown WHERE inside AND NOT unproven ORDER BY what LIMIT %(first)s"
_COUNT = "SELECT count(*) FROM ({unknown}) AS unknown"


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What no record accounts for; of ``unproven`` rows nobody can say, as retention removed records unread by then.

    ``all_unproven`` counts those outside of the range, too; ``unread_letters`` are rows of dead_letter_queue whose dead
    letters retention removed unread. ``is_clean``: neither inside nor outside of the range is anything unexpected.
    """

    unexpected: Findings
    unproven: int
    all_unproven: int
    unread_letters: int
    is_clean: bool


class _Unknown(NamedTuple):
    """What has no record: strangers, and what may be of records that were removed; inside of the range and in all."""

    found: Findings
    all_strangers: int
    unproven: int
    all_unproven: int


def find_unexpected(connection: psycopg.Connection, rows: sql.Composable, span: Range) -> Unexplained:
    """Look among ``rows`` of user_events, and among all dead letters."""
    unknown_rows = sql.SQL(_UNKNOWN_ROWS).format(rows=rows, unproven_before=sql.SQL(UNPROVEN_BEFORE))
    letters_are_unproven = not is_complete(connection, LETTERS)
    parameters = {**NAMES, **span.parameters, "first": FIRST, "letters_are_unproven": letters_are_unproven}
    events = _unknown(connection, "user_events", unknown_rows, parameters)
    letters = _unknown(connection, "dead_letter_queue", sql.SQL(_UNKNOWN_LETTERS), parameters)
    count, first = events.found.count + letters.found.count, (*events.found.first, *letters.found.first)
    return Unexplained(
        Findings(count, first[:FIRST]),
        unproven=events.unproven,
        all_unproven=events.all_unproven,
        unread_letters=letters.all_unproven,
        is_clean=not events.all_strangers and not letters.all_strangers,
    )


def count_unknown_letters(connection: psycopg.Connection) -> int:
    """Return how many rows of dead_letter_queue are of no dead letter that was read."""
    statement = sql.SQL(_COUNT).format(unknown=sql.SQL(_UNKNOWN_LETTERS))
    return number(connection, statement, **NAMES, **ALL.parameters, letters_are_unproven=True)


def _unknown(
    connection: psycopg.Connection, where: LiteralString, unknown: sql.Composable, parameters: Mapping[str, Any]
) -> _Unknown:
    row = connection.execute(sql.SQL(_COUNTS).format(unknown=unknown), parameters).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    all_strangers, strangers, all_unproven, unproven = row
    rows = connection.execute(sql.SQL(_FIRST).format(unknown=unknown), parameters) if strangers else ()
    found = Findings(strangers, tuple(Unexpected(where, *one) for one in rows))
    return _Unknown(found, all_strangers, unproven, all_unproven)
