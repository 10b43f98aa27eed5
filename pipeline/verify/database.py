"""What PostgreSQL holds: rows, dead letters, and where user_stats differs from user_events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from pipeline.verify.topic import TOPIC, Position

CONNECTOR = "user-events"
_BATCH = 50_000


def read_event_ids(connection: psycopg.Connection) -> set[UUID]:
    """Return the ids of all rows of user_events."""
    with connection.transaction(), connection.cursor(name="event_ids") as cursor:
        cursor.itersize = _BATCH
        cursor.execute("SELECT event_id FROM user_events", binary=True)
        return {event_id for (event_id,) in cursor}


def read_dead_letters(connection: psycopg.Connection) -> dict[Position, datetime]:
    """Return the positions of the events that the sink refused, and when."""
    rows = connection.execute(
        "SELECT source_partition, source_offset, first_seen FROM dead_letter_queue "
        "WHERE source_topic = %s AND connector = %s",
        (TOPIC, CONNECTOR),
    )
    return {Position(partition, offset): first_seen for partition, offset, first_seen in rows}


@dataclass(frozen=True, slots=True)
class StatsDifference:
    """A user whose row differs: expected and actual values of the columns that do; None where there is no row."""

    user_id: str
    expected: dict[str, Any] | None
    actual: dict[str, Any] | None


_REFUSED_TABLE = """
CREATE TEMPORARY TABLE refused_events (
    event_id uuid PRIMARY KEY, user_id text, event_type text, occurred_at timestamptz, amount numeric, currency text,
    duration_seconds bigint
) ON COMMIT DROP
"""

_REFUSED_ROW = """
INSERT INTO refused_events
SELECT %(event_id)s, %(user_id)s, %(event_type)s, %(occurred_at)s, %(amount)s, %(currency)s, %(duration_seconds)s
WHERE NOT EXISTS (SELECT FROM user_events WHERE event_id = %(event_id)s)
ON CONFLICT DO NOTHING
"""

# What user_stats means, in SQL: the statement in ksql/04_user_stats.sql must give the same.
_COMPARE = """
WITH events AS (
    SELECT user_id, event_type, occurred_at, amount, currency, duration_seconds FROM user_events
    UNION ALL
    SELECT user_id, event_type, occurred_at, amount, currency, duration_seconds FROM refused_events
), expected AS (
    SELECT
        user_id,
        count(*) AS total_events,
        count(*) FILTER (WHERE event_type = 'purchase') AS total_purchases,
        coalesce(sum(amount) FILTER (WHERE event_type = 'purchase' AND currency = 'USD'), 0) AS total_spent,
        max(occurred_at) AS last_active,
        max(occurred_at) FILTER (WHERE event_type = 'purchase') AS last_purchase,
        coalesce(
            sum(duration_seconds) FILTER (WHERE event_type = 'logout')::double precision
                / nullif(count(duration_seconds) FILTER (WHERE event_type = 'logout'), 0),
            0
        ) AS avg_session_seconds,
        least(100, 0.5 * count(*) + 5 * count(*) FILTER (WHERE event_type = 'purchase'))::double precision
            AS engagement_score
    FROM events
    GROUP BY user_id
), actual AS (
    SELECT user_id, total_events, total_purchases, total_spent, last_active, last_purchase, avg_session_seconds,
        engagement_score
    FROM user_stats
)
SELECT coalesce(expected.user_id, actual.user_id) AS user_id, to_jsonb(expected) AS expected, to_jsonb(actual) AS actual
FROM expected FULL JOIN actual USING (user_id)
WHERE expected IS DISTINCT FROM actual
ORDER BY 1
"""


def count_users(connection: psycopg.Connection) -> int:
    """Return the number of rows of user_stats."""
    row = connection.execute("SELECT count(*) FROM user_stats").fetchone()
    return int(row[0]) if row else 0


def compare_stats(connection: psycopg.Connection, refused: Iterable[Mapping[str, Any]]) -> list[StatsDifference]:
    """Return every user whose row in user_stats is not what SQL computes from the events.

    ``refused`` are events that the sink dead-lettered though ksqlDB counted them; one that has a row by now (it was
    replayed) counts once.
    """
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        cursor.execute(_REFUSED_TABLE)
        cursor.executemany(_REFUSED_ROW, refused)
        return [_difference(*row) for row in cursor.execute(_COMPARE)]


def _difference(user_id: str, expected: dict[str, Any] | None, actual: dict[str, Any] | None) -> StatsDifference:
    if expected is None or actual is None:
        return StatsDifference(user_id, expected, actual)
    columns = [name for name in expected if expected[name] != actual[name]]
    return StatsDifference(
        user_id, {name: expected[name] for name in columns}, {name: actual[name] for name in columns}
    )
