"""The table users against the topic users: each row is what the last record of its key says.

Where the last record was refused, only its replay tells what the row should be: see decisions/0005.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg import sql

from pipeline.clients.kafka import Offsets
from pipeline.clients.positions import Position
from pipeline.verify.counting import number
from pipeline.verify.profile_records import Passed, ProfileRecords
from pipeline.verify.topics import PROFILE_RETRIES, PROFILES
from pipeline.verify.verification import ALL, FIRST, Findings, ProfileDifference, Range

# A key has a last record in each partition that it was ever written to: with one producer, in one.
_WRONG = """
WITH expected AS (
    SELECT record._key AS user_id, record._sent_at AS sent_at, letter.id IS NOT NULL AND retry IS NULL AS refused,
        (chosen)._topic AS topic, (chosen)._partition AS partition, (chosen)._offset AS "offset",
        (chosen)._deleted AS deleted, (chosen)._fingerprint AS fingerprint
    FROM profile_records AS record
    LEFT JOIN dead_letter_queue AS letter ON letter.connector = %(profiles)s
        AND (letter.source_topic, letter.source_partition, letter.source_offset)
            = (%(profiles)s, record._partition, record._offset)
    LEFT JOIN profile_records AS retry ON retry._topic = %(retries)s AND retry._attempt > letter.retry_count
        AND (retry._origin_partition, retry._origin_offset) = (letter.source_partition, letter.source_offset)
    CROSS JOIN LATERAL (SELECT CASE WHEN retry IS NULL THEN record ELSE retry END) AS choice (chosen)
    WHERE record._topic = %(profiles)s
), actual AS (
    SELECT profile.user_id, {fingerprint} AS fingerprint FROM users AS profile
)
SELECT user_id, (array_agg(topic))[1], (array_agg(partition))[1],
    (array_agg("offset"))[1],
    coalesce(bool_or(refused), false), coalesce(bool_or("offset" >= coalesce(upto, 0)), false)
FROM expected FULL JOIN actual USING (user_id)
LEFT JOIN unnest(%(topics)s::text[], %(partitions)s::int[], %(ends)s::bigint[]) AS passed (topic, partition, upto)
    USING (topic, partition)
GROUP BY user_id
HAVING bool_or(CASE WHEN deleted THEN actual.user_id IS NULL ELSE expected.fingerprint = actual.fingerprint END)
        IS NOT TRUE
    AND (NOT %(ranged)s OR bool_or(sent_at >= %(since)s AND sent_at < %(until)s))
ORDER BY user_id
"""
_EXPECTED = """
SELECT to_jsonb(profile) FROM (
    SELECT {typed} FROM profile_records AS staged
    WHERE (_topic, _partition, _offset) = (%s, %s, %s) AND NOT _deleted AND {valid}
) AS profile
"""
_ACTUAL = "SELECT to_jsonb(profile) FROM (SELECT {columns} FROM users WHERE user_id = %s) AS profile"


def compare_profiles(
    records: ProfileRecords, passed: Passed, began_at: Mapping[str, Offsets], span: Range
) -> dict[str, Any]:
    """Return the counts and differences of profiles, by their names in a Verification.

    ``began_at`` is where the topics ended when the verification began: what came later is arriving, and not awaited.
    """
    if not records.shape.columns:
        return {}
    in_flight, arriving, refused = 0, 0, 0
    found: list[tuple[str, Position | None]] = []
    statement = sql.SQL(_WRONG).format(fingerprint=records.shape.fingerprint("profile"))
    for user_id, topic, partition, offset, is_refused, may_come in records.connection.execute(
        statement, {**_parameters(passed), **span.parameters, "ranged": span != ALL}
    ):
        if topic is None:
            found += [(user_id, None)] if records.is_complete else []
        elif is_refused:
            refused += 1
        elif not may_come and passed.letters_arrived:
            found.append((user_id, Position(topic, partition, offset)))
        elif offset >= began_at[topic].get(partition, 0):
            arriving += 1
        else:
            in_flight += 1
    return {
        "profiles": number(records.connection, "SELECT count(*) FROM users"),
        "profiles_in_flight": in_flight,
        "profiles_arriving": arriving,
        "profiles_refused": refused,
        "profiles_mismatched": Findings(len(found), tuple(_describe(records, *one) for one in found[:FIRST])),
    }


def _parameters(passed: Passed) -> dict[str, Any]:
    ends = [(topic, *end) for topic, offsets in passed.committed.items() for end in offsets.items()]
    topics, partitions, offsets = map(list, zip(*ends, strict=True))
    return {
        "profiles": PROFILES,
        "retries": PROFILE_RETRIES,
        "topics": topics,
        "partitions": partitions,
        "ends": offsets,
    }


def _describe(records: ProfileRecords, user_id: str, position: Position | None) -> ProfileDifference:
    expected = sql.SQL(_EXPECTED).format(typed=records.shape.typed(), valid=records.shape.is_valid())
    actual = sql.SQL(_ACTUAL).format(columns=sql.SQL(", ").join(map(sql.Identifier, records.shape.columns)))
    should = _row(records, expected, position or (None,) * 3)
    does = _row(records, actual, (user_id,))
    if should is not None and does is not None:
        differing = [name for name in should if should[name] != does[name]]
        should, does = ({name: row[name] for name in differing} for row in (should, does))
    return ProfileDifference(user_id, position, should, does)


def _row(records: ProfileRecords, query: sql.Composed, parameters: tuple[Any, ...]) -> dict[str, Any] | None:
    row = records.connection.execute(query, parameters).fetchone()
    return dict(row[0]) if row else None
