"""What a look must look at: what has changed since all was last accounted for. Why that is enough: decisions/0005."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import psycopg
from psycopg import sql

from pipeline.clients.kafka import Offsets
from pipeline.verify import counting, statistics
from pipeline.verify.counting import NAMES, number
from pipeline.verify.rows import RowShape
from pipeline.verify.topics import EVENTS, SINK
from pipeline.verify.unexpected import count_unknown_letters

_ROWS = """
(
    SELECT event.event_id, event.user_id, event.ingested_at, {fingerprint} AS fingerprint, event.xmin AS touched_by
    FROM user_events AS event
)
"""

# Transactions have numbers of their own on each server, and rows in other files may be of transactions before.
_STORAGE = """
SELECT system_identifier || ' ' || (
    SELECT string_agg(part || ':' || coalesce(pg_relation_filenode(part), 0), ' ' ORDER BY part) FROM (
        SELECT 'user_events'::regclass::oid
        UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = 'user_events'::regclass
    ) AS parts (part)
) FROM pg_control_system()
"""

# age() wraps around after two billion transactions.
_LAST = """
SELECT before::text, held, unproven, unread_letters FROM verified_rows
WHERE storage = %(storage)s
    AND pg_snapshot_xmax(pg_current_snapshot())::text::bigint - before::text::bigint BETWEEN 0 AND 2000000000
"""
_TOUCHED = """
CREATE TEMPORARY TABLE touched ON COMMIT DROP AS
SELECT * FROM {rows} AS event WHERE age(event.touched_by) <= age({before}::xid8::xid)
"""

# Touched rows that need not have been there before: none of their records was accounted for by a row.
_NEW = """
SELECT count(*) FROM {rows} AS event
WHERE age(event.touched_by) <= age(%(before)s::xid8::xid) AND NOT EXISTS (
    SELECT FROM verified_records AS record JOIN verified_topics AS read USING (partition)
    WHERE record.event_id = event.event_id AND read.topic = %(events)s AND record."offset" < read.accounted_offset
        AND NOT EXISTS (
            SELECT FROM verified_letters AS letter
            WHERE (letter.origin_topic, letter.origin_partition, letter.origin_offset)
                = (%(events)s, record.partition, record."offset")
        )
        AND NOT EXISTS (
            SELECT FROM dead_letter_queue AS letter
            WHERE (letter.source_topic, letter.source_partition, letter.source_offset, letter.connector)
                = (%(events)s, record.partition, record."offset", %(sink)s)
        )
)
"""
_WITH_LETTERS = """
(
    SELECT record.* FROM verified_records AS record JOIN verified_letters AS letter
        ON (letter.origin_topic, letter.origin_partition, letter.origin_offset)
            = ({events}, record.partition, record."offset")
    UNION SELECT record.* FROM verified_records AS record JOIN dead_letter_queue AS letter
        ON (letter.source_topic, letter.source_partition, letter.source_offset, letter.connector)
            = ({events}, record.partition, record."offset", {sink})
    UNION SELECT * FROM {fresh} AS fresh
)
"""
_MARKS = "SELECT partition, accounted_offset FROM verified_topics WHERE topic = %(events)s"

# Up to the first record that is not accounted for, or of which it is not known whether ksqlDB counts it.
_NEW_MARKS = """
SELECT partition, least(next_offset, min("offset")) FROM verified_topics AS read
LEFT JOIN (
    SELECT partition, "offset" FROM unaccounted WHERE topic = %(events)s
    UNION ALL SELECT partition, "offset" FROM verified_records WHERE counted IS NULL
) AS open USING (partition)
WHERE read.topic = %(events)s GROUP BY partition, next_offset
"""
_MOVE_MARKS = """
UPDATE verified_topics AS read SET accounted_offset = mark."offset"
FROM unnest(%(partitions)s::int[], %(offsets)s::bigint[]) AS mark (partition, "offset")
WHERE read.topic = %(events)s AND read.partition = mark.partition
"""
_REMEMBER = """
UPDATE verified_rows
SET before = pg_snapshot_xmin(pg_current_snapshot()), storage = %(storage)s, held = %(held)s,
    unproven = %(unproven)s, unread_letters = %(unread_letters)s
"""
_SUMS = hashlib.sha256((counting.BY_PARTITION + statistics.SUMS).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be looked at, as items of a FROM clause.

    ``rows`` of user_events may differ from what was found; ``strangers`` are those that may have no record; ``records``
    may have lost what accounted for them; ``fresh`` ones are in no sum yet, those before the ``marks`` of their
    partitions are. ``total_rows`` is the number of rows in user_events, ``storage`` tells where they are.
    """

    rows: sql.Composable
    strangers: sql.Composable
    records: sql.Composable
    fresh: sql.Composable
    marks: Offsets
    total_rows: int
    storage: str


def find_changes(connection: psycopg.Connection, shape: RowShape) -> Changes:
    """Return what has changed; all of it where nothing is known, and all records where a row or a letter is gone."""
    _forget_other_sums(connection)
    rows = sql.SQL(_ROWS).format(fingerprint=shape.fingerprint("event"))
    marks: Offsets = dict(connection.execute(_MARKS, NAMES).fetchall())
    fresh = _records_between(marks)
    total = number(connection, "SELECT count(*) FROM user_events")
    every_record = sql.Identifier("verified_records")
    (storage,) = connection.execute(_STORAGE).fetchone() or ("",)
    last = connection.execute(_LAST, {"storage": storage}).fetchone()
    if last is None:
        return Changes(rows, rows, every_record, fresh, marks, total, storage)
    before, held, unproven, unread_letters = last
    connection.execute(sql.SQL(_TOUCHED).format(rows=rows, before=before))
    touched = sql.Identifier("touched")
    none_is_gone = total - _count_new(connection, touched, before) == held and (
        unread_letters == 0 or count_unknown_letters(connection) >= unread_letters
    )
    with_letters = sql.SQL(_WITH_LETTERS).format(events=EVENTS, sink=SINK, fresh=fresh)
    records = with_letters if none_is_gone else every_record
    return Changes(touched, rows if unproven else touched, records, fresh, marks, total, storage)


def remember(connection: psycopg.Connection, changes: Changes, *, unproven: int, unread_letters: int) -> None:
    """Remember how far all is accounted for, where every row is right; as it was, where a record lost its row.

    ``unproven`` rows have no record, ``unread_letters`` rows of dead_letter_queue none in Kafka.
    """
    marks: Offsets = dict(connection.execute(_NEW_MARKS, NAMES).fetchall())
    if any(offset < changes.marks[partition] for partition, offset in marks.items()):
        return
    accounted = _records_between(changes.marks, marks)
    counting.add_up(connection, accounted)
    statistics.add_up(connection, accounted)
    connection.execute(_MOVE_MARKS, {**NAMES, "partitions": list(marks), "offsets": list(marks.values())})
    before = connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text").fetchone()
    held = changes.total_rows - _count_new(connection, changes.rows, before and before[0])
    connection.execute(
        _REMEMBER,
        {"held": held, "unproven": unproven, "unread_letters": unread_letters, "storage": changes.storage},
    )


def forget_sums(connection: psycopg.Connection) -> None:
    """Forget how far all was accounted for: records that were added up are others now."""
    connection.execute("TRUNCATE verified_totals, verified_statistics")
    connection.execute("UPDATE verified_topics SET accounted_offset = first_offset WHERE topic = %(events)s", NAMES)


def _forget_other_sums(connection: psycopg.Connection) -> None:
    """Forget sums that were made of something else."""
    known = connection.execute("SELECT sums FROM verified_rows").fetchone()
    if known != (_SUMS,):
        forget_sums(connection)
        connection.execute("UPDATE verified_rows SET sums = %s", (_SUMS,))


def _count_new(connection: psycopg.Connection, rows: sql.Composable, before: object) -> int:
    return number(connection, sql.SQL(_NEW).format(rows=rows), **NAMES, before=before)


def _records_between(starts: Mapping[int, int], ends: Mapping[int, int] | None = None) -> sql.Composed:
    """Return the records from some offsets on, of each partition; with numbers, so that PostgreSQL knows how many."""
    ranges = [
        sql.SQL('partition = {} AND "offset" >= {}').format(partition, start)
        + (sql.SQL(' AND "offset" < {}').format(ends[partition]) if ends is not None else sql.SQL(""))
        for partition, start in starts.items()
    ]
    condition = sql.SQL(" OR ").join(ranges) if ranges else sql.SQL("false")
    return sql.SQL("(SELECT * FROM verified_records WHERE {})").format(condition)
