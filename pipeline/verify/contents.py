"""Rows that are not what their records say, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from pipeline.clients.positions import Position
from pipeline.verify.ledger import Ledger
from pipeline.verify.rows import stage
from pipeline.verify.topics import EVENTS, RETRIES, SINK
from pipeline.verify.verification import FIRST, Altered, Findings, Range

_PARAMETERS = {"events": EVENTS, "retries": RETRIES, "sink": SINK}

_ALTERED = """
INSERT INTO altered
SELECT event.event_id FROM {rows} AS event
WHERE NOT EXISTS (
        SELECT FROM verified_records AS record
        WHERE record.event_id = event.event_id AND record.fingerprint = event.fingerprint
    )
    AND NOT EXISTS (
        SELECT FROM verified_letters AS retry
        WHERE retry.event_id = event.event_id AND retry.topic = %(retries)s AND retry.fingerprint = event.fingerprint
    )
    AND (
        EXISTS (SELECT FROM verified_records AS record WHERE record.event_id = event.event_id)
        OR EXISTS (SELECT FROM verified_letters AS retry WHERE retry.event_id = event.event_id)
    )
"""

# Where an event was sent again with other content, or repaired: the row is what a partition's last record that its sink
# wrote says, or what a record says that its sink may just be writing.
_OVERWRITTEN = """
WITH chosen AS (
    SELECT DISTINCT event_id FROM verified_records WHERE differs
    UNION SELECT event_id FROM verified_letters WHERE topic = %(retries)s AND event_id IS NOT NULL
), written AS (
    SELECT %(events)s AS topic, record.partition, record."offset", record.event_id, record.fingerprint
    FROM verified_records AS record JOIN chosen USING (event_id)
    WHERE NOT EXISTS (
        SELECT FROM dead_letter_queue AS letter
        WHERE letter.connector = %(sink)s
            AND (letter.source_topic, letter.source_partition, letter.source_offset)
                = (%(events)s, record.partition, record."offset")
    )
    UNION ALL
    SELECT retry.topic, retry.partition, retry."offset", retry.event_id, retry.fingerprint
    FROM verified_letters AS retry JOIN chosen USING (event_id)
    WHERE retry.topic = %(retries)s AND NOT EXISTS (
        SELECT FROM dead_letter_queue AS letter
        WHERE letter.connector = %(sink)s AND letter.retry_count >= retry.attempt
            AND (letter.source_topic, letter.source_partition, letter.source_offset)
                = (retry.origin_topic, retry.origin_partition, retry.origin_offset)
    )
), lasting AS (
    SELECT written.event_id, written.fingerprint,
        written."offset" >= coalesce(upto, 0) OR row_number() OVER (
            PARTITION BY written.event_id, topic, written.partition, written."offset" < coalesce(upto, 0)
            ORDER BY written."offset" DESC
        ) = 1 AS lasts
    FROM written LEFT JOIN committed USING (topic, partition)
)
INSERT INTO altered
SELECT event.event_id FROM user_events AS event JOIN chosen USING (event_id)
WHERE EXISTS (SELECT FROM lasting WHERE lasting.event_id = event.event_id)
    AND NOT EXISTS (
        SELECT FROM lasting
        WHERE lasts AND lasting.event_id = event.event_id AND lasting.fingerprint = {fingerprint}
    )
"""
_FIRST = """
SELECT DISTINCT event_id FROM altered JOIN user_events USING (event_id)
WHERE event_id IN (
    SELECT event_id FROM verified_records WHERE sent_at >= %(since)s AND sent_at < %(until)s
    UNION SELECT event_id FROM verified_letters WHERE sent_at >= %(since)s AND sent_at < %(until)s
)
ORDER BY event_id
"""
_LAST_RECORD = """
SELECT topic, partition, "offset" FROM (
    SELECT %(events)s AS topic, partition, "offset", sent_at, fingerprint FROM verified_records WHERE event_id = %(id)s
    UNION ALL
    SELECT topic, partition, "offset", sent_at, fingerprint FROM verified_letters
    WHERE event_id = %(id)s AND topic = %(retries)s
) AS record ORDER BY fingerprint IS NULL, sent_at DESC LIMIT 1
"""


def create_temporary(connection: psycopg.Connection) -> None:
    """Create the temporary table of this connection."""
    connection.execute("CREATE TEMPORARY TABLE altered (event_id uuid)")


def find_altered(
    ledger: Ledger, connection: psycopg.Connection, rows: sql.Composable, span: Range
) -> tuple[Findings, bool]:
    """Return which of the rows are not what their records say, and whether all are, also outside of the range."""
    connection.execute("TRUNCATE altered")
    connection.execute(sql.SQL(_ALTERED).format(rows=rows), _PARAMETERS)
    overwritten = sql.SQL(_OVERWRITTEN).format(fingerprint=ledger.shape.fingerprint("event"))
    connection.execute(overwritten, _PARAMETERS)
    found = [event_id for (event_id,) in connection.execute(_FIRST, span.parameters)]
    is_clean = connection.execute("SELECT FROM altered LIMIT 1").fetchone() is None
    return Findings(len(found), tuple(_describe(ledger, connection, event_id) for event_id in found[:FIRST])), is_clean


def _describe(ledger: Ledger, connection: psycopg.Connection, event_id: object) -> Altered:
    place = connection.execute(_LAST_RECORD, {**_PARAMETERS, "id": event_id}).fetchone()
    assert place is not None  # noqa: S101 - only rows with a record are compared
    position = Position(*place)
    expected = _expected(ledger, connection, position)
    columns = sql.SQL(", ").join(map(sql.Identifier, ledger.shape.columns))
    row = connection.execute(
        sql.SQL("SELECT to_jsonb(event) FROM (SELECT {} FROM user_events WHERE event_id = %s) AS event").format(
            columns
        ),
        (event_id,),
    ).fetchone()
    actual: dict[str, Any] = row[0] if row else {}
    differing: Sequence[str] = [name for name in expected if expected[name] != actual.get(name)]
    return Altered(
        str(event_id),
        position,
        {name: expected[name] for name in differing},
        {name: actual.get(name) for name in differing},
    )


def _expected(ledger: Ledger, connection: psycopg.Connection, position: Position) -> dict[str, Any]:
    """Return the row that a record becomes; nothing where the record is gone or no row can hold it."""
    stage(connection, ledger.shape, ledger.records_at([position]))
    query = sql.SQL("SELECT to_jsonb(event) FROM (SELECT {} FROM staged WHERE {}) AS event")
    row = connection.execute(query.format(ledger.shape.typed(), ledger.shape.is_valid())).fetchone()
    return dict(row[0]) if row else {}
