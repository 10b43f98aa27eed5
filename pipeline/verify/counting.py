"""Counting in the ledger and beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.verify.topics import EVENTS, LETTERS, RETRIES, SINK
from pipeline.verify.verification import ALL, Partition, Range

NAMES = {"events": EVENTS, "retries": RETRIES, "letters": LETTERS, "sink": SINK}  # in every statement

BY_PARTITION = """
SELECT partition, count(*) AS records, count(*) FILTER (WHERE first_sight) AS distinct_events,
    count(*) FILTER (WHERE event_id IS NULL AND NOT erased) AS unreadable, count(*) FILTER (WHERE erased) AS erased,
    count(*) FILTER (WHERE first_sight AND user_id IS NOT NULL AND counted IS NOT TRUE) AS refused_by_ksqldb
FROM {records} AS record WHERE sent_at >= %(since)s AND sent_at < %(until)s GROUP BY partition
"""
_ADD_UP = """
INSERT INTO verified_totals AS total {by_partition} ON CONFLICT (partition) DO UPDATE SET
    records = total.records + EXCLUDED.records, distinct_events = total.distinct_events + EXCLUDED.distinct_events,
    unreadable = total.unreadable + EXCLUDED.unreadable, erased = total.erased + EXCLUDED.erased,
    refused_by_ksqldb = total.refused_by_ksqldb + EXCLUDED.refused_by_ksqldb
"""
_TOTALS = """
SELECT coalesce(sum(records), 0)::bigint, coalesce(sum(distinct_events), 0)::bigint,
    coalesce(sum(unreadable), 0)::bigint, coalesce(sum(erased), 0)::bigint,
    coalesce(sum(refused_by_ksqldb), 0)::bigint
FROM ({by_partition} UNION ALL SELECT * FROM verified_totals WHERE NOT %(ranged)s) AS total
"""
_PARTITIONS = """
SELECT read.partition, read.first_offset, read.next_offset, read.unread,
    records, duplicates, erased, letters, in_flight, missing
FROM verified_topics AS read
LEFT JOIN (
    SELECT partition, sum(records)::bigint AS records, sum(erased)::bigint AS erased,
        sum(records - distinct_events - unreadable - erased)::bigint AS duplicates
    FROM ({by_partition} UNION ALL SELECT * FROM verified_totals) AS total GROUP BY partition
) AS record USING (partition)
LEFT JOIN (
    SELECT source_partition AS partition, count(*) AS letters FROM dead_letter_queue
    WHERE source_topic = %(events)s AND connector = %(sink)s GROUP BY 1
) AS letter USING (partition)
LEFT JOIN (
    SELECT partition, count(*) FILTER (WHERE in_flight) AS in_flight, count(*) FILTER (WHERE NOT in_flight) AS missing
    FROM unaccounted WHERE topic = %(events)s GROUP BY 1
) AS open USING (partition)
WHERE read.topic = %(events)s ORDER BY 1
"""
_LETTER_PARTITIONS = """
SELECT read.partition, read.first_offset, read.next_offset, read.unread, records, 0, erased, 0, in_flight, missing
FROM verified_topics AS read
LEFT JOIN (
    SELECT partition, count(*) AS records, count(*) FILTER (WHERE erased) AS erased
    FROM verified_letters WHERE topic = %(topic)s GROUP BY 1
) AS record USING (partition)
LEFT JOIN (
    SELECT partition, count(*) FILTER (WHERE in_flight) AS in_flight, count(*) FILTER (WHERE NOT in_flight) AS missing
    FROM unaccounted WHERE topic = %(topic)s GROUP BY 1
) AS open USING (partition)
WHERE read.topic = %(topic)s ORDER BY 1
"""


def number(connection: psycopg.Connection, query: LiteralString | sql.Composed, **parameters: Any) -> int:
    """Return the one number that a query gives."""
    row = connection.execute(query, parameters).fetchone()
    return int(row[0]) if row else 0


def is_complete(connection: psycopg.Connection, topic: str) -> bool:
    """Whether every record that the topic ever had was read."""
    return not number(
        connection,
        "SELECT count(*) FROM verified_topics WHERE topic = %(topic)s AND (first_offset > 0 OR unread > 0)",
        topic=topic,
    )


def add_up(connection: psycopg.Connection, records: sql.Composable) -> None:
    """Add records to the totals that are kept."""
    connection.execute(sql.SQL(_ADD_UP).format(by_partition=_by_partition(records)), ALL.parameters)


def _by_partition(records: sql.Composable) -> sql.Composed:
    return sql.SQL(BY_PARTITION).format(records=records)


def count_records(connection: psycopg.Connection, fresh: sql.Composable, span: Range) -> dict[str, Any]:
    """Return the totals of the ledger, by their names in a Verification; ``fresh`` are those in no total yet."""
    ranged = span != ALL
    records = sql.Identifier("verified_records") if ranged else fresh
    statement = sql.SQL(_TOTALS).format(by_partition=_by_partition(records))
    row = connection.execute(statement, {**span.parameters, "ranged": ranged}).fetchone()
    assert row is not None  # noqa: S101 - an aggregate has one row
    records, distinct, unreadable, erased, refused = row
    return {
        "records": records,
        "distinct_events": distinct,
        "duplicates": records - distinct - unreadable - erased,
        "unreadable": unreadable,
        "erased": erased,
        "refused_by_ksqldb": refused,
    }


def count_partitions(
    connection: psycopg.Connection, kafka: Kafka, fresh: sql.Composable, committed: Mapping[str, Offsets]
) -> tuple[Partition, ...]:
    """Return the accounts of each partition of every topic that was read, of all time."""
    found: list[Partition] = []
    for topic, offsets in committed.items():
        query = sql.SQL(_PARTITIONS if topic == EVENTS else _LETTER_PARTITIONS).format(
            by_partition=_by_partition(fresh)
        )
        earliest = kafka.starts(topic)
        for partition, first, end, unread, *counts in connection.execute(
            query, {**NAMES, **ALL.parameters, "topic": topic}
        ):
            records, duplicates, erased, letters, in_flight, missing = (count or 0 for count in counts)
            found.append(
                Partition(
                    topic=topic,
                    partition=partition,
                    earliest=earliest[partition],
                    first=first,
                    end=end,
                    committed=offsets.get(partition, 0),
                    records=records,
                    markers=end - first - unread - records,
                    unread=unread,
                    duplicates=duplicates,
                    dead_letters=letters,
                    erased=erased,
                    in_flight=in_flight,
                    missing=missing,
                )
            )
    return tuple(found)


def count_users_and_letters(connection: psycopg.Connection) -> dict[str, Any]:
    """Return how many users have statistics, and dead letters by status, by their names in a Verification."""
    letters = connection.execute(
        "SELECT status, count(*) FROM dead_letter_queue WHERE source_topic = %(events)s AND connector = %(sink)s "
        "GROUP BY 1 ORDER BY 1",
        NAMES,
    ).fetchall()
    return {
        "users": number(connection, "SELECT count(*) FROM user_stats"),
        "dead_letters": sum(count for _, count in letters),
        "letters": {str(status): int(count) for status, count in letters},
    }
