"""Counting in the ledger and beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

import psycopg

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.verify.topics import EVENTS, LETTERS, RETRIES, SINK
from pipeline.verify.verification import Partition, Range

NAMES = {"events": EVENTS, "retries": RETRIES, "letters": LETTERS, "sink": SINK}  # in every statement

_TOTALS = """
SELECT count(*), count(*) FILTER (WHERE first_sight), count(*) FILTER (WHERE event_id IS NULL AND NOT erased),
    count(*) FILTER (WHERE erased), count(*) FILTER (WHERE first_sight AND user_id IS NOT NULL AND counted IS NOT TRUE)
FROM verified_records WHERE sent_at >= %(since)s AND sent_at < %(until)s
"""
_PARTITIONS = """
SELECT read.partition, read.first_offset, read.next_offset, records, duplicates, erased, letters, in_flight, missing
FROM verified_topics AS read
LEFT JOIN (
    SELECT partition, count(*) AS records, count(*) FILTER (WHERE erased) AS erased,
        count(*) FILTER (WHERE event_id IS NOT NULL AND NOT first_sight) AS duplicates
    FROM verified_records GROUP BY partition
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
SELECT read.partition, read.first_offset, read.next_offset, records, 0, erased, 0, in_flight, missing
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


def number(connection: psycopg.Connection, query: LiteralString, **parameters: Any) -> int:
    """Return the one number that a query gives."""
    row = connection.execute(query, parameters).fetchone()
    return int(row[0]) if row else 0


def is_complete(connection: psycopg.Connection, topic: str) -> bool:
    """Whether every record that the topic ever had was read."""
    return not number(
        connection, "SELECT count(*) FROM verified_topics WHERE topic = %(topic)s AND first_offset > 0", topic=topic
    )


def count_records(connection: psycopg.Connection, span: Range) -> dict[str, Any]:
    """Return the totals of the ledger, by their names in a Verification."""
    row = connection.execute(_TOTALS, span.parameters).fetchone()
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
    connection: psycopg.Connection, kafka: Kafka, committed: Mapping[str, Offsets]
) -> tuple[Partition, ...]:
    """Return the accounts of each partition of every topic that was read."""
    found: list[Partition] = []
    for topic, offsets in committed.items():
        query = _PARTITIONS if topic == EVENTS else _LETTER_PARTITIONS
        earliest = kafka.starts(topic)
        for partition, first, end, *counts in connection.execute(query, {**NAMES, "topic": topic}):
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
                    markers=end - first - records,
                    duplicates=duplicates,
                    dead_letters=letters,
                    erased=erased,
                    in_flight=in_flight,
                    missing=missing,
                )
            )
    return tuple(found)


def count_rows(connection: psycopg.Connection) -> dict[str, Any]:
    """Return how many rows the tables have, and dead letters by status, by their names in a Verification."""
    letters = connection.execute(
        "SELECT status, count(*) FROM dead_letter_queue WHERE source_topic = %(events)s AND connector = %(sink)s "
        "GROUP BY 1 ORDER BY 1",
        NAMES,
    ).fetchall()
    return {
        "rows": number(connection, "SELECT count(*) FROM user_events"),
        "users": number(connection, "SELECT count(*) FROM user_stats"),
        "dead_letters": sum(count for _, count in letters),
        "letters": {str(status): int(count) for status, count in letters},
    }
