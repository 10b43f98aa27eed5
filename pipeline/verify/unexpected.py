"""Rows and dead letters that no record accounts for."""

from __future__ import annotations

import psycopg

from pipeline.verify.counting import NAMES, is_complete, number
from pipeline.verify.topics import EVENTS, LETTERS
from pipeline.verify.verification import FIRST, Findings, Range, Unexpected

_UNKNOWN_ROWS = """
FROM user_events AS event
WHERE event.ingested_at >= %(since)s AND event.ingested_at < %(until)s
    AND NOT EXISTS (SELECT FROM verified_records AS record WHERE record.event_id = event.event_id)
    AND NOT EXISTS (SELECT FROM verified_letters AS retry WHERE retry.event_id = event.event_id)
"""
_UNKNOWN_LETTERS = """
FROM dead_letter_queue AS letter
WHERE letter.connector = %(sink)s AND letter.first_seen >= %(since)s AND letter.first_seen < %(until)s
    AND NOT EXISTS (
        SELECT FROM verified_letters AS record
        WHERE record.topic = %(letters)s
            AND (record.origin_topic, record.origin_partition, record.origin_offset)
                = (letter.source_topic, letter.source_partition, letter.source_offset)
    )
"""


def find_unexpected(connection: psycopg.Connection, span: Range) -> tuple[Findings, int]:
    """Return rows and dead letters that no record accounts for, and the number of rows of which nobody can say."""
    parameters = {**NAMES, **span.parameters}
    rows = number(connection, f"SELECT count(*) {_UNKNOWN_ROWS}", **parameters)
    unproven = 0
    found: list[Unexpected] = []
    count = 0
    if not is_complete(connection, EVENTS):
        unproven = rows
    elif rows:
        count += rows
        query = f"SELECT event.event_id::text, event.user_id {_UNKNOWN_ROWS} ORDER BY 1 LIMIT {FIRST}"
        found += [Unexpected("user_events", *row) for row in connection.execute(query, parameters)]
    if is_complete(connection, LETTERS):
        letters = number(connection, f"SELECT count(*) {_UNKNOWN_LETTERS}", **parameters)
        count += letters
        place = "source_topic || '-' || source_partition || '@' || source_offset"
        query = f"SELECT {place} {_UNKNOWN_LETTERS} ORDER BY id LIMIT {FIRST if letters else 0}"
        found += [Unexpected("dead_letter_queue", place, None) for (place,) in connection.execute(query, parameters)]
    return Findings(count, tuple(found[:FIRST])), unproven
