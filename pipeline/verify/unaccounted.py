"""Records that are neither a row nor a dead letter: on their way, or lost."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg

from pipeline.clients.kafka import Offsets
from pipeline.clients.positions import Position
from pipeline.verify.counting import NAMES, number
from pipeline.verify.verification import FIRST, Findings, Missing, Range

_TEMPORARY = """
CREATE TEMPORARY TABLE committed (topic text, partition integer, upto bigint, PRIMARY KEY (topic, partition));
CREATE TEMPORARY TABLE unaccounted (
    topic text, partition integer, "offset" bigint, event_id uuid, user_id text, in_flight boolean, reason text
);
"""

# A dead letter accounts for its record; one that is resolved does so through the row that it became.
_UNACCOUNTED_RECORDS = """
INSERT INTO unaccounted
SELECT %(events)s, record.partition, record."offset", record.event_id, record.user_id,
    record."offset" >= coalesce(passed.upto, 0) OR coalesce(letter.in_flight, false),
    CASE
        WHEN letter.place IS NOT NULL THEN 'its dead letter ' || letter.place || ' is not in dead_letter_queue'
        WHEN resolved.id IS NOT NULL THEN 'dead letter ' || resolved.id || ' is resolved, but there is no row'
        ELSE 'no row and no dead letter'
    END
FROM verified_records AS record
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
WHERE NOT record.erased AND record.sent_at >= %(since)s AND record.sent_at < %(until)s
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
SELECT retry.topic, retry.partition, retry."offset", retry.event_id, NULL,
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
WHERE retry.topic = %(retries)s AND NOT retry.erased AND retry.sent_at >= %(since)s AND retry.sent_at < %(until)s
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
SELECT letter.topic, letter.partition, letter."offset", NULL, NULL, letter."offset" >= coalesce(passed.upto, 0),
    'the dead letter of ' || letter.origin_topic || '-' || letter.origin_partition || '@' || letter.origin_offset
        || ' is not in dead_letter_queue'
FROM verified_letters AS letter
LEFT JOIN committed AS passed USING (topic, partition)
WHERE letter.topic = %(letters)s AND NOT letter.erased AND letter.sent_at >= %(since)s AND letter.sent_at < %(until)s
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


def create_temporary(connection: psycopg.Connection) -> None:
    """Create the temporary tables of this connection."""
    connection.execute(_TEMPORARY)


def find_unaccounted(
    connection: psycopg.Connection, committed: Mapping[str, Offsets], span: Range
) -> tuple[int, Findings]:
    """Return how many records are in flight, and which are missing though their sink has passed them."""
    connection.execute("TRUNCATE committed, unaccounted")
    with connection.cursor().copy("COPY committed FROM STDIN") as copy:
        for topic, offsets in committed.items():
            for partition, offset in offsets.items():
                copy.write_row((topic, partition, offset))
    for statement in (_UNACCOUNTED_RECORDS, _UNACCOUNTED_RETRIES, _UNACCOUNTED_LETTERS):
        connection.execute(statement, {**NAMES, **span.parameters})
    rows = connection.execute(
        'SELECT topic, partition, "offset", event_id::text, user_id, reason FROM unaccounted WHERE NOT in_flight '
        'ORDER BY topic, partition, "offset" LIMIT %s',
        (FIRST,),
    )
    first = tuple(Missing(Position(*place), *rest) for *place, rest in ((*row[:3], row[3:]) for row in rows))
    in_flight = number(connection, "SELECT count(*) FROM unaccounted WHERE in_flight")
    return in_flight, Findings(number(connection, "SELECT count(*) FROM unaccounted WHERE NOT in_flight"), first)
