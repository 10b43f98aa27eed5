"""user_stats against what ksqlDB should have counted: the original events, whatever became of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from pipeline.verify.erasures import Erasures
from pipeline.verify.events import EventReader
from pipeline.verify.gaps import UNPROVEN_BEFORE
from pipeline.verify.topics import EVENTS, STATS_SINK
from pipeline.verify.verification import ALL, Range, StatsDifference

COLUMNS = (
    "total_events",
    "total_purchases",
    "total_spent",
    "last_active",
    "last_purchase",
    "avg_session_seconds",
    "engagement_score",
)

# What user_stats means, in SQL: the statement in ksql/04_user_stats.sql must give the same. First what can be added up
# event by event …
SUMS = """
SELECT
    sha256(convert_to(user_id, 'UTF8')) AS user_key,
    user_id,
    count(*) AS total_events,
    count(*) FILTER (WHERE event_type = 'purchase') AS total_purchases,
    coalesce(sum(amount) FILTER (WHERE event_type = 'purchase' AND currency = 'USD'), 0) AS total_spent,
    max(occurred_at) AS last_active,
    max(occurred_at) FILTER (WHERE event_type = 'purchase') AS last_purchase,
    coalesce(sum(duration_seconds) FILTER (WHERE event_type = 'logout'), 0) AS session_seconds,
    count(duration_seconds) FILTER (WHERE event_type = 'logout') AS sessions
FROM {events} AS event
WHERE {counted}
GROUP BY user_id
"""
_ADD_UP = """
INSERT INTO verified_statistics AS sums {sums} ON CONFLICT (user_key) DO UPDATE SET
    total_events = sums.total_events + EXCLUDED.total_events,
    total_purchases = sums.total_purchases + EXCLUDED.total_purchases,
    total_spent = sums.total_spent + EXCLUDED.total_spent,
    last_active = greatest(sums.last_active, EXCLUDED.last_active),
    last_purchase = greatest(sums.last_purchase, EXCLUDED.last_purchase),
    session_seconds = sums.session_seconds + EXCLUDED.session_seconds,
    sessions = sums.sessions + EXCLUDED.sessions
"""

# … then what follows from the sums. Events that retention removed before they were read are known by their rows alone.
_WITHOUT_RECORD = """
%(unproven)s AND event.ingested_at < {unproven_before}
    AND NOT EXISTS (SELECT FROM verified_records AS record WHERE record.event_id = event.event_id)
    AND NOT EXISTS (
        SELECT FROM verified_letters AS retry JOIN verified_records AS record
            ON (record.partition, record."offset") = (retry.origin_partition, retry.origin_offset)
        WHERE retry.event_id = event.event_id AND retry.origin_topic = %(events)s
    )
"""
_COMPARE = """
WITH expected AS (
    SELECT
        user_id,
        sum(total_events)::bigint AS total_events,
        sum(total_purchases)::bigint AS total_purchases,
        sum(total_spent) AS total_spent,
        max(last_active) AS last_active,
        max(last_purchase) AS last_purchase,
        coalesce(sum(session_seconds)::double precision / nullif(sum(sessions), 0), 0) AS avg_session_seconds,
        least(100, 0.5 * sum(total_events) + 5 * sum(total_purchases))::double precision AS engagement_score
    FROM (SELECT * FROM verified_statistics UNION ALL {fresh} UNION ALL {unproven}) AS sums
    GROUP BY user_id
), actual AS (
    SELECT user_id, total_events, total_purchases, total_spent, last_active, last_purchase, avg_session_seconds,
        engagement_score
    FROM user_stats
)
SELECT coalesce(expected.user_id, actual.user_id),
    expected.total_events, expected.total_purchases, expected.total_spent, expected.last_active,
    expected.last_purchase, expected.avg_session_seconds, expected.engagement_score,
    actual.total_events, actual.total_purchases, actual.total_spent, actual.last_active, actual.last_purchase,
    actual.avg_session_seconds, actual.engagement_score
FROM expected FULL JOIN actual USING (user_id)
WHERE expected IS DISTINCT FROM actual
    AND (NOT %(ranged)s OR coalesce(expected.user_id, actual.user_id) IN (
        SELECT user_id FROM verified_records WHERE sent_at >= %(since)s AND sent_at < %(until)s
    ))
ORDER BY 1
"""

_NEWEST_LETTERS = """
SELECT DISTINCT ON (event_key) event_key, event_data FROM dead_letter_queue
WHERE connector = %s AND event_key IS NOT NULL AND event_data IS NOT NULL
ORDER BY event_key, source_offset DESC
"""


def add_up(connection: psycopg.Connection, records: sql.Composable) -> None:
    """Add records to the sums that are kept."""
    connection.execute(sql.SQL(_ADD_UP).format(sums=_sums(records, sql.SQL("counted"))))


def _sums(events: sql.Composable, counted: sql.Composable) -> sql.Composed:
    return sql.SQL(SUMS).format(events=events, counted=counted)


def compare_statistics(
    connection: psycopg.Connection,
    reader: EventReader,
    erasures: Erasures,
    fresh: sql.Composable,
    span: Range,
    *,
    unproven: bool,
) -> tuple[list[StatsDifference], int]:
    """Return every user whose row is not what SQL computes, and how many cannot be compared.

    ``fresh`` are the records in no sum yet; ``unproven`` tells whether rows may be of records that were never read.
    Users with events after they were erased cannot be compared: ksqlDB still counts what was erased. A row that
    PostgreSQL refused is right where its dead letter holds what SQL computes.
    """
    ranged = span != ALL
    without_record = sql.SQL(_WITHOUT_RECORD).format(unproven_before=sql.SQL(UNPROVEN_BEFORE))
    statement = sql.SQL(_COMPARE).format(
        fresh=_sums(fresh, sql.SQL("counted")), unproven=_sums(sql.Identifier("user_events"), without_record)
    )
    rows = connection.execute(
        statement, {"unproven": unproven, "ranged": ranged, "events": EVENTS, **span.parameters}
    ).fetchall()
    differences = [_difference(*row) for row in rows]
    refused = _refused_statistics(connection, reader) if differences else {}
    found: list[StatsDifference] = []
    not_compared = 0
    for difference in differences:
        was_erased = erasures.of(difference.user_id) is not None
        if difference.expected is None:
            found.append(replace(difference, erased=was_erased))
        elif was_erased:
            not_compared += 1
        elif refused.get(difference.user_id) != difference.expected:
            found.append(difference)
    return found, not_compared


def _difference(user_id: str, *values: Any) -> StatsDifference:
    def row(columns: tuple[Any, ...]) -> dict[str, Any] | None:
        return None if columns[0] is None else dict(zip(COLUMNS, columns, strict=True))

    return StatsDifference(user_id, row(values[: len(COLUMNS)]), row(values[len(COLUMNS) :]))


def _refused_statistics(connection: psycopg.Connection, reader: EventReader) -> dict[str, Mapping[str, Any]]:
    """Return the newest statistics of each user that PostgreSQL refused, as ksqlDB computed them."""
    letters = connection.execute(_NEWEST_LETTERS, (STATS_SINK,))
    return {key.decode(errors="replace"): dict(_statistics(reader, value)) for key, value in letters}


def _statistics(reader: EventReader, value: bytes) -> Iterator[tuple[str, Any]]:
    for name, content in (reader.record(value) or {}).items():
        if name.lower() in COLUMNS:
            yield name.lower(), content
