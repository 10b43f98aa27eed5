"""What PostgreSQL holds of a person: found, counted and removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import psycopg

from pipeline.verify.changes import forget_sums
from pipeline.verify.events import EventReader

_USER_FIELDS = ("user_id", "USER_ID")  # in events and profiles, and in what ksqlDB writes

_COUNTS: Mapping[str, str] = {
    "users": "SELECT count(*) FROM users WHERE user_id = %(user)s",
    "user_events": "SELECT count(*) FROM user_events WHERE user_id = %(user)s",
    "user_stats": "SELECT count(*) FROM user_stats WHERE user_id = %(user)s",
}

# Rows of the transaction's moment only: what comes later is of records that come later.
_EVENTS = """
DELETE FROM user_events WHERE ingested_at <= now() AND (
    user_id = %(user)s OR event_id IN (SELECT event_id FROM verified_records WHERE user_id = %(user)s)
) RETURNING event_id
"""
_LETTERS = """
DELETE FROM dead_letter_queue WHERE first_seen <= now() AND id = ANY(%(letters)s)
RETURNING source_topic, source_partition, source_offset
"""
_FAILURES = """
UPDATE dead_letter_actions SET failures = failures - %(letters)s::text[] WHERE failures ?| %(letters)s::text[]
"""
_ARGUMENTS = """
UPDATE dead_letter_actions SET arguments = '{"erased": true}' WHERE EXISTS (
    SELECT FROM jsonb_path_query(arguments, 'strict $.**') AS part
    WHERE jsonb_typeof(part) = 'string' AND position(%(user)s IN part #>> '{}') > 0
)
"""
_RECORDS = """
WITH gone AS (
    UPDATE verified_records
    SET erased = true, event_id = NULL, odd_id = NULL, fingerprint = NULL, first_sight = false, differs = false,
        counted = false, user_id = NULL, event_type = NULL, occurred_at = NULL, amount = NULL, currency = NULL,
        duration_seconds = NULL
    WHERE user_id = %(user)s OR event_id = ANY(%(events)s) OR (partition, "offset") IN (
        SELECT * FROM unnest(%(partitions)s::int[], %(offsets)s::bigint[])
    )
    RETURNING partition, "offset"
)
SELECT count(*), count(*) FILTER (WHERE gone."offset" < read.accounted_offset)
FROM gone JOIN verified_topics AS read USING (partition) WHERE read.topic = 'user-events'
"""
_REPLAYS = """
UPDATE verified_letters AS letter SET erased = true, event_id = NULL, fingerprint = NULL
WHERE event_id = ANY(%(events)s) OR EXISTS (
    SELECT FROM unnest(%(topics)s::text[], %(partitions)s::int[], %(offsets)s::bigint[])
        AS gone (topic, partition, "offset")
    WHERE (gone.topic, gone.partition, gone."offset")
        = (letter.origin_topic, letter.origin_partition, letter.origin_offset)
)
"""


@dataclass(frozen=True, slots=True)
class Holdings:
    """How many rows of each table are about a person, and the ids of their dead letters."""

    rows: Mapping[str, int]
    letters: tuple[int, ...]

    @property
    def total(self) -> int:
        """How many rows there are in all."""
        return sum(self.rows.values())


def find_holdings(connection: psycopg.Connection, reader: EventReader, user_id: str) -> Holdings:
    """Return what is there of a person."""
    rows = {name: _count(connection, query, user_id) for name, query in _COUNTS.items()}
    letters = tuple(_letters(connection, reader, user_id))
    return Holdings({**rows, "dead_letter_queue": len(letters)}, letters)


def remove(connection: psycopg.Connection, reader: EventReader, user_id: str) -> dict[str, int]:
    """Remove what no tombstone removes, and return how many rows, by table. The ledger keeps coordinates only."""
    letters = list(_letters(connection, reader, user_id))
    user = {"user": user_id}
    gone = [event_id for (event_id,) in connection.execute(_EVENTS, user)]
    places = connection.execute(_LETTERS, {"letters": letters}).fetchall()
    connection.execute(_FAILURES, {"letters": [str(number) for number in letters]})
    connection.execute(_ARGUMENTS, user)
    topics, partitions, offsets = (list(column) for column in zip(*places, strict=True)) if places else ([], [], [])
    connection.execute(_REPLAYS, {"events": gone, "topics": topics, "partitions": partitions, "offsets": offsets})
    events = [(partition, offset) for topic, partition, offset in places if topic == "user-events"]
    row = connection.execute(
        _RECORDS,
        {
            "user": user_id,
            "events": gone,
            "partitions": [partition for partition, _ in events],
            "offsets": [offset for _, offset in events],
        },
    ).fetchone()
    records, added_up = row or (0, 0)
    if added_up:
        forget_sums(connection)
    return {"user_events": len(gone), "dead_letter_queue": len(places), "verified_records": records}


def _letters(connection: psycopg.Connection, reader: EventReader, user_id: str) -> list[int]:
    """Return the letters whose key or whose value is of the person."""
    rows = connection.execute(
        "SELECT id, event_key = convert_to(%(user)s, 'UTF8'), event_data FROM dead_letter_queue "
        "WHERE event_key = convert_to(%(user)s, 'UTF8') OR position(convert_to(%(user)s, 'UTF8') IN event_data) > 0 "
        "ORDER BY id",
        {"user": user_id},
    )
    found = []
    for number, by_key, value in rows:
        record = reader.record(value) or {}
        if by_key or user_id in {record.get(name) for name in _USER_FIELDS}:
            found.append(number)
    return found


def _count(connection: psycopg.Connection, query: str, user_id: str) -> int:
    row = connection.execute(query.encode(), {"user": user_id}).fetchone()
    return int(row[0]) if row else 0
