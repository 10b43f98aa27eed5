"""user_stats against what ksqlDB should have counted: the original events, whatever became of their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import psycopg

from pipeline.verify.erasures import Erasures
from pipeline.verify.events import EventReader
from pipeline.verify.topics import STATS_SINK
from pipeline.verify.verification import ALL, FIRST, Findings, Range, StatsDifference

_COLUMNS = (
    "total_events",
    "total_purchases",
    "total_spent",
    "last_active",
    "last_purchase",
    "avg_session_seconds",
    "engagement_score",
)

# What user_stats means, in SQL: the statement in ksql/04_user_stats.sql must give the same. Events that retention
# removed before they were read are known by their rows alone.
_COMPARE = """
WITH events AS (
    SELECT user_id, event_type, occurred_at, amount, currency, duration_seconds FROM verified_records WHERE counted
    UNION ALL
    SELECT user_id, event_type, occurred_at, amount, currency, duration_seconds FROM user_events AS event
    WHERE NOT %(complete)s
        AND NOT EXISTS (SELECT FROM verified_records AS record WHERE record.event_id = event.event_id)
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


def compare_statistics(
    connection: psycopg.Connection, reader: EventReader, erasures: Erasures, span: Range, *, complete: bool
) -> tuple[Findings, int]:
    """Return every user whose row is not what SQL computes, and how many cannot be compared.

    Users with events after they were erased cannot: ksqlDB still counts what was erased. A row that PostgreSQL refused
    is right where its dead letter holds what SQL computes.
    """
    ranged = span != ALL
    rows = connection.execute(_COMPARE, {"complete": complete, "ranged": ranged, **span.parameters}).fetchall()
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
    return Findings(len(found), tuple(map(_differing_columns, found[:FIRST]))), not_compared


def _difference(user_id: str, *values: Any) -> StatsDifference:
    def row(columns: tuple[Any, ...]) -> dict[str, Any] | None:
        return None if columns[0] is None else dict(zip(_COLUMNS, columns, strict=True))

    return StatsDifference(user_id, row(values[: len(_COLUMNS)]), row(values[len(_COLUMNS) :]))


def _differing_columns(difference: StatsDifference) -> StatsDifference:
    expected, actual = difference.expected, difference.actual
    if expected is None or actual is None:
        return difference
    columns = [name for name in _COLUMNS if expected[name] != actual[name]]
    return StatsDifference(
        difference.user_id, {name: expected[name] for name in columns}, {name: actual[name] for name in columns}
    )


def _refused_statistics(connection: psycopg.Connection, reader: EventReader) -> dict[str, Mapping[str, Any]]:
    """Return the newest statistics of each user that PostgreSQL refused, as ksqlDB computed them."""
    letters = connection.execute(_NEWEST_LETTERS, (STATS_SINK,))
    return {key.decode(errors="replace"): dict(_statistics(reader, value)) for key, value in letters}


def _statistics(reader: EventReader, value: bytes) -> Iterator[tuple[str, Any]]:
    for name, content in (reader.record(value) or {}).items():
        if name.lower() in _COLUMNS:
            yield name.lower(), content
