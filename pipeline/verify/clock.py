"""Events that only ksqlDB's clock could decide: ahead of it when they were read, or too old for the grace period.

What ksqlDB counted stands in first-events, under the event's id and day. No other event is looked up there: the
statistics are to prove ksqlDB, not to repeat it.
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import psycopg

from pipeline.clients.kafka import Kafka
from pipeline.clients.records import read_records
from pipeline.verify.changes import forget_sums
from pipeline.verify.progress import query_positions
from pipeline.verify.topics import EVENTS, FIRST_EVENTS

_WINDOW = struct.Struct(">q")  # a windowed key: the key's bytes, then the start of the window in milliseconds
_CLOCKS_APART = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNDECIDED = """
SELECT partition, "offset", coalesce(odd_id, event_id::text),
    (extract(epoch FROM date_bin('1 day', occurred_at, timestamptz 'epoch')) * 1000)::bigint, sent_at
FROM verified_records WHERE counted IS NULL
"""
_DECIDE = """
UPDATE verified_records AS record SET counted = %s
FROM unnest(%s::int[], %s::bigint[]) AS chosen (partition, "offset")
WHERE record.partition = chosen.partition AND record."offset" = chosen."offset"
"""

# Of each event and day that is not counted so far, the first.
_TAKE_BACK = """
WITH sighted AS (
    SELECT partition, "offset", sent_at, counted, user_id, coalesce(odd_id, event_id::text) AS id,
        date_bin('1 day', occurred_at, timestamptz 'epoch') AS day
    FROM verified_records
), chosen AS (
    SELECT DISTINCT ON (id, day) partition, "offset" FROM sighted AS refused
    WHERE counted IS FALSE AND user_id IS NOT NULL AND id IS NOT NULL AND day IS NOT NULL AND NOT EXISTS (
        SELECT FROM sighted AS other
        WHERE other.id = refused.id AND other.day = refused.day AND other.counted IS NOT FALSE
    )
    ORDER BY id, day, sent_at, partition, "offset"
)
UPDATE verified_records AS record SET counted = NULL FROM chosen
WHERE record.partition = chosen.partition AND record."offset" = chosen."offset"
"""


def decide(connection: psycopg.Connection, kafka: Kafka) -> None:
    """Mark the undecided events that ksqlDB counted, and those that it has passed without counting them."""
    if FIRST_EVENTS not in kafka.partitions():
        return
    _decide_anew(connection, kafka.topic_id(FIRST_EVENTS))
    undecided = connection.execute(_UNDECIDED).fetchall()
    if not undecided:
        return
    passed = query_positions(kafka, "FIRST_EVENTS", EVENTS)
    counted = _counted_keys(kafka, min(sent_at for *_, sent_at in undecided) - _CLOCKS_APART)
    decided: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    for partition, offset, event_id, day, _ in undecided:
        if event_id.encode() + _WINDOW.pack(day) in counted:
            decided[True].append((partition, offset))
        elif passed is not None and offset < passed.get(partition, 0):
            decided[False].append((partition, offset))
    for verdict, positions in decided.items():
        if positions:
            connection.execute(_DECIDE, (verdict, *map(list, zip(*positions, strict=True))))


def _decide_anew(connection: psycopg.Connection, topic_id: str) -> None:
    """Take back what was decided of events that were left out, where first-events has been computed anew."""
    (known,) = connection.execute("SELECT first_events FROM verified_rows").fetchone() or (None,)
    if known == topic_id:
        return
    if known is not None and connection.execute(_TAKE_BACK).rowcount:
        forget_sums(connection)
    connection.execute("UPDATE verified_rows SET first_events = %s", (topic_id,))


def _counted_keys(kafka: Kafka, since: datetime) -> set[bytes]:
    starts = kafka.offsets_at(FIRST_EVENTS, max(since, _EPOCH))
    messages = read_records(kafka.config, FIRST_EVENTS, starts, kafka.ends(FIRST_EVENTS))
    return {key if isinstance(key, bytes) else str(key).encode() for key in (message.key() for message in messages)}
