"""Records that are neither a row nor a dead letter: on their way, or lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from pipeline.clients.kafka import Offsets
from pipeline.clients.positions import Position
from pipeline.verify.counting import NAMES
from pipeline.verify.verification import FIRST, Findings, Missing, Range

_TEMPORARY = """
CREATE TEMPORARY TABLE committed (
    topic text, partition integer, upto bigint, began_at bigint, PRIMARY KEY (topic, partition)
);
CREATE TEMPORARY TABLE unaccounted (
    topic text, partition integer, "offset" bigint, sent_at timestamptz, event_id uuid, user_id text,
    in_flight boolean, reason text
);
"""

# A dead letter accounts for its record; one that is resolved does so through the row that it became.
_UNACCOUNTED_RECORDS = """
INSERT INTO unaccounted
SELECT %(events)s, record.partition, record."offset", record.sent_at, record.event_id, record.user_id,
    record."offset" >= coalesce(passed.upto, 0) OR coalesce(letter.in_flight, false),
    CASE
        WHEN letter.place IS NOT NULL THEN 'its dead letter ' || letter.place || ' is not in dead_letter_queue'
        WHEN resolved.id IS NOT NULL THEN 'dead letter ' || resolved.id || ' is resolved, but there is no row'
        ELSE 'no row and no dead letter'
    END
FROM {records} AS record
LEFT JOIN committed AS passed ON passed.topic = %(events)s AND passed.partition = record.partition
LEFT JOIN dead_letter_queue AS resolved ON resolved.status = 'resolved' AND resolved.connector = %(sink)s
    AND (resolved.source_topic, resolved.source_partition, resolved.source_offset)
        = (%(events)s, record.partition, record."offset")
LEFT JOIN LATERAL (
    SELECT letter.topic || '-' || letter.partition || '@' || letter."offset" AS place,
        letter."offset" >= coalesce(upto, 0) AS in_flight
    FROM verified_letters AS letter LEFT JOIN committed USING (topic, partition)
    WHERE letter.topic = %(letters)s AND resolved.id IS NULL
        AND (letter.origin_topic, letter.origin_partition, letter.origin_offset)
            = (%(events)s, record.partition, record."offset")
    ORDER BY letter.partition, letter."offset" DESC LIMIT 1
) AS letter ON true
WHERE NOT record.erased
    AND NOT EXISTS (SELECT FROM user_events AS event WHERE event.event_id = record.event_id)
    AND NOT EXISTS (
        SELECT FROM dead_letter_queue AS letter
        WHERE letter.connector = %(sink)s
            AND (letter.source_topic, letter.source_partition, letter.source_offset)
                = (%(events)s, record.partition, record."offset")
            AND (letter.status <> 'resolved' OR letter.row_key IS NULL OR EXISTS (
                SELECT FROM user_events AS event
                WHERE event.event_id = CASE WHEN pg_input_is_valid(letter.row_key, 'uuid') THEN letter.row_key::uuid END
            ))
    )
"""

# A replayed letter becomes its row or fails again, which its letter's retry_count then says.
_UNACCOUNTED_RETRIES = """
INSERT INTO unaccounted
SELECT retry.topic, retry.partition, retry."offset", retry.sent_at, retry.event_id, NULL,
    retry."offset" >= coalesce(passed.upto, 0) OR coalesce(again.in_flight, false),
    'replayed, but no row and no new failure'
FROM verified_letters AS retry
LEFT JOIN committed AS passed USING (topic, partition)
LEFT JOIN LATERAL (
    SELECT bool_or(letter."offset" >= coalesce(upto, 0)) AS in_flight
    FROM verified_letters AS letter LEFT JOIN committed USING (topic, partition)
    WHERE letter.topic = %(letters)s AND letter.attempt >= retry.attempt
        AND (letter.origin_topic, letter.origin_partition, letter.origin_offset)
            = (retry.origin_topic, retry.origin_partition, retry.origin_offset)
) AS again ON true
WHERE retry.topic = %(retries)s AND NOT retry.erased
    AND NOT EXISTS (SELECT FROM user_events AS event WHERE event.event_id = retry.event_id)
    AND NOT EXISTS (
        SELECT FROM dead_letter_queue AS letter
        WHERE letter.connector = %(sink)s AND letter.retry_count >= retry.attempt
            AND (letter.source_topic, letter.source_partition, letter.source_offset)
                = (retry.origin_topic, retry.origin_partition, retry.origin_offset)
    )
    AND NOT EXISTS (
        SELECT FROM verified_records AS origin
        WHERE origin.erased AND retry.origin_topic = %(events)s
            AND (origin.partition, origin."offset") = (retry.origin_partition, retry.origin_offset)
    )
"""

_UNACCOUNTED_LETTERS = """
INSERT INTO unaccounted
SELECT letter.topic, letter.partition, letter."offset", letter.sent_at, NULL, NULL,
    letter."offset" >= coalesce(passed.upto, 0),
    'the dead letter of ' || letter.origin_topic || '-' || letter.origin_partition || '@' || letter.origin_offset
        || ' is not in dead_letter_queue'
FROM verified_letters AS letter
LEFT JOIN committed AS passed USING (topic, partition)
WHERE letter.topic = %(letters)s AND NOT letter.erased
    AND NOT EXISTS (
        SELECT FROM dead_letter_queue AS known
        WHERE known.retry_count >= letter.attempt
            AND (known.source_topic, known.source_partition, known.source_offset)
                = (letter.origin_topic, letter.origin_partition, letter.origin_offset)
    )
    AND NOT EXISTS (
        SELECT FROM unaccounted AS already
        WHERE (already.topic, already.partition, already."offset")
            = (letter.origin_topic, letter.origin_partition, letter.origin_offset)
    )
    AND NOT EXISTS (
        SELECT FROM verified_records AS origin
        WHERE origin.erased AND letter.origin_topic = %(events)s
            AND (origin.partition, origin."offset") = (letter.origin_partition, letter.origin_offset)
    )
"""

_OUTSIDE = "DELETE FROM unaccounted WHERE NOT (sent_at >= %(since)s AND sent_at < %(until)s)"
_COUNTS = """
SELECT CASE
        WHEN NOT in_flight THEN 'missing' WHEN "offset" < began_at THEN 'in flight' ELSE 'arriving'
    END, count(*)
FROM unaccounted LEFT JOIN committed USING (topic, partition) GROUP BY 1
"""


def create_temporary(connection: psycopg.Connection) -> None:
    """Create the temporary tables of this connection."""
    connection.execute(_TEMPORARY)


def find_unaccounted(
    connection: psycopg.Connection,
    records: sql.Composable,
    committed: Mapping[str, Offsets],
    began_at: Mapping[str, Offsets],
) -> None:
    """Put what is in flight or missing into the temporary table, of ``records`` and of all letters and replays.

    ``committed`` is how far the sinks have written, ``began_at`` where the topics ended when the verification began.
    """
    connection.execute("TRUNCATE committed, unaccounted")
    places = {(topic, partition) for each in (committed, began_at) for topic in each for partition in each[topic]}
    with connection.cursor().copy("COPY committed FROM STDIN") as copy:
        for topic, partition in places:
            offsets = (each.get(topic, {}).get(partition) for each in (committed, began_at))
            copy.write_row((topic, partition, *offsets))
    for statement in (_UNACCOUNTED_RECORDS, _UNACCOUNTED_RETRIES, _UNACCOUNTED_LETTERS):
        connection.execute(sql.SQL(statement).format(records=records), NAMES)


def count_unaccounted(connection: psycopg.Connection, span: Range) -> dict[str, Any]:
    """Return how much is in flight, and what is missing though its sink has passed it, by names in a Verification.

    What came after the verification began is arriving: nobody waits for it.
    """
    connection.execute(_OUTSIDE, span.parameters)
    counts: dict[str, int] = dict(connection.execute(_COUNTS).fetchall())
    rows = connection.execute(
        'SELECT topic, partition, "offset", event_id::text, user_id, reason FROM unaccounted WHERE NOT in_flight '
        'ORDER BY topic, partition, "offset" LIMIT %s',
        (FIRST,),
    )
    first = tuple(Missing(Position(*place), *rest) for *place, rest in ((*row[:3], row[3:]) for row in rows))
    return {
        "in_flight": counts.get("in flight", 0),
        "arriving": counts.get("arriving", 0),
        "missing": Findings(counts.get("missing", 0), first),
    }
