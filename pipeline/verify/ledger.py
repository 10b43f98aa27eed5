"""The ledger: what `pipeline verify` has read of the topics, kept in PostgreSQL, so that it is read once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import psycopg
from confluent_kafka import Message
from psycopg import sql

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.letter_headers import text_of
from pipeline.clients.positions import Position
from pipeline.clients.records import read_records, sent_at
from pipeline.errors import PipelineError
from pipeline.verify.changes import forget_sums
from pipeline.verify.erasures import Erasures, read_erasures
from pipeline.verify.events import EventReader
from pipeline.verify.origins import origin_of_letter, origin_of_retry
from pipeline.verify.rows import RowShape, Staged, create_staged, read_shape, stage
from pipeline.verify.topics import EVENTS, LETTERS, RETRIES

_BATCH = 20_000

# ksqlDB leaves out what is more than an hour ahead of its clock, and what is older than the grace period
# (ksql/02_first_events.sql). Events near either limit are undecided here: see clock.py.
_ADD_RECORDS = """
WITH typed AS (
    SELECT staged.partition, staged."offset", staged.sent_at, staged.erased,
        CASE WHEN pg_input_is_valid(staged.event_id, 'uuid') THEN staged.event_id::uuid END AS event_id,
        staged.event_id AS text_id,
        {fingerprint} AS fingerprint,
        staged.user_id, staged.event_type, moment.occurred_at,
        CASE WHEN fits THEN staged.amount::numeric END AS amount, staged.currency,
        CASE WHEN fits THEN staged.duration_seconds::bigint END AS duration_seconds, fits,
        date_bin('1 day', moment.occurred_at, timestamptz 'epoch') AS day,
        readable AND fits AND staged.user_id IS NOT NULL AS countable
    FROM staged, LATERAL (SELECT {moment}) AS moment (occurred_at), LATERAL (
        SELECT coalesce(pg_input_is_valid(staged.amount, 'numeric'), true)
            AND coalesce(pg_input_is_valid(staged.duration_seconds, 'bigint'), true)
    ) AS numbers (fits)
), sighted AS (
    SELECT typed.*, nullif(text_id, event_id::text) AS odd_id,
        row_number() OVER by_id = 1
            AND NOT EXISTS (SELECT FROM verified_records AS known WHERE known.event_id = typed.event_id)
            AS first_sight,
        first_value(fingerprint) OVER by_id IS DISTINCT FROM fingerprint OR EXISTS (
            SELECT FROM verified_records AS known
            WHERE known.event_id = typed.event_id AND known.fingerprint IS DISTINCT FROM typed.fingerprint
        ) AS differs,
        row_number() OVER by_day = 1 AND NOT EXISTS (
            SELECT FROM verified_records AS known
            WHERE known.event_id = typed.event_id AND coalesce(known.odd_id, known.event_id::text) = typed.text_id
                AND date_bin('1 day', known.occurred_at, timestamptz 'epoch') = typed.day
                AND known.counted IS NOT FALSE
        ) AND NOT EXISTS (
            SELECT FROM verified_records AS known
            WHERE typed.event_id IS NULL AND known.event_id IS NULL AND md5(known.odd_id) = md5(typed.text_id)
                AND date_bin('1 day', known.occurred_at, timestamptz 'epoch') = typed.day
                AND known.counted IS NOT FALSE
        ) AS first_of_day
    FROM typed
    WINDOW by_id AS (PARTITION BY event_id ORDER BY partition, "offset"),
        by_day AS (PARTITION BY text_id, day, countable ORDER BY sent_at, partition, "offset")
)
INSERT INTO verified_records
SELECT partition, "offset", sent_at, erased,
    CASE WHEN NOT erased THEN event_id END, CASE WHEN NOT erased THEN odd_id END,
    CASE WHEN NOT erased THEN fingerprint END,
    first_sight AND event_id IS NOT NULL AND NOT erased,
    differs AND event_id IS NOT NULL AND NOT erased,
    CASE
        WHEN erased OR text_id IS NULL OR occurred_at IS NULL OR NOT countable THEN false
        WHEN NOT first_of_day THEN false
        WHEN occurred_at < sent_at + interval '1 hour'
            AND occurred_at > %(newest)s::timestamptz - interval '119 days' THEN true
    END,
    CASE WHEN NOT erased THEN user_id END, CASE WHEN NOT erased THEN event_type END,
    CASE WHEN NOT erased THEN occurred_at END, CASE WHEN NOT erased THEN amount END,
    CASE WHEN NOT erased THEN currency END, CASE WHEN NOT erased THEN duration_seconds END
FROM sighted
"""
_ADD_LETTERS = """
INSERT INTO verified_letters
SELECT topic, partition, "offset", sent_at, erased, origin_topic, origin_partition, origin_offset, attempt,
    CASE WHEN NOT erased AND pg_input_is_valid(event_id, 'uuid') THEN event_id::uuid END,
    CASE WHEN NOT erased THEN {fingerprint} END
FROM staged
"""
_NEWEST = """
UPDATE verified_rows SET newest = greatest(newest, (
    SELECT max({moment}) FROM staged WHERE {moment} < sent_at + interval '1 hour'
)) RETURNING newest
"""

# What other schemas have in these fields need not be a moment, or a finite one.
_MOMENT = sql.SQL(
    "CASE WHEN pg_input_is_valid(staged.occurred_at, 'timestamptz') AND isfinite(staged.occurred_at::timestamptz) "
    "THEN staged.occurred_at::timestamptz END"
)

_FORGET_RECORDS = """
DELETE FROM verified_records AS record USING unnest(%(partitions)s::int[], %(offsets)s::bigint[])
    AS kept (partition, "offset")
WHERE record.partition = kept.partition AND record."offset" >= kept."offset"
"""
_FORGET_LETTERS = """
DELETE FROM verified_letters AS letter USING unnest(%(partitions)s::int[], %(offsets)s::bigint[])
    AS kept (partition, "offset")
WHERE letter.topic = %(topic)s AND letter.partition = kept.partition AND letter."offset" >= kept."offset"
"""
_BEGIN_AGAIN = """
UPDATE verified_topics AS read SET first_offset = least(first_offset, kept."offset"),
    next_offset = least(next_offset, kept."offset"), accounted_offset = least(first_offset, kept."offset")
FROM unnest(%(partitions)s::int[], %(offsets)s::bigint[]) AS kept (partition, "offset")
WHERE read.topic = %(topic)s AND read.partition = kept.partition
"""


class Ledger:
    """What was read, in the tables verified_*. Everything happens in the transaction of its connection."""

    def __init__(self, connection: psycopg.Connection, kafka: Kafka, reader: EventReader) -> None:
        self._connection = connection
        self._kafka = kafka
        self._reader = reader
        self._topics: set[str] = set()
        self.erasures: Erasures
        self.shape: RowShape

    def open(self) -> None:
        """Get ready. Raises PipelineError where the tables are not deployed."""
        row = self._connection.execute("SELECT to_regclass('verified_gaps'), to_regclass('erasures')").fetchone()
        if not row or None in row:
            message = "the tables of `pipeline verify` are not there: run `pipeline deploy --only table`"
            raise PipelineError(message)
        self.shape = read_shape(self._connection, "user_events")
        self._topics = {EVENTS, LETTERS, RETRIES} & self._kafka.partitions().keys()
        if EVENTS not in self._topics:
            message = f"topic {EVENTS} does not exist: run `pipeline deploy`"
            raise PipelineError(message)
        create_staged(self._connection, self.shape)
        self._connection.execute("INSERT INTO verified_rows DEFAULT VALUES ON CONFLICT DO NOTHING")

    def ends(self) -> dict[str, Offsets]:
        """Return where the topics end now."""
        return {topic: self._kafka.ends(topic) for topic in self._topics}

    def ends_read(self) -> Offsets:
        """Return up to where the topic of events was read."""
        rows = self._connection.execute(
            "SELECT partition, next_offset FROM verified_topics WHERE topic = %s", (EVENTS,)
        )
        return dict(rows.fetchall())

    def forget(self) -> None:
        """Forget what the topics hold, to read it again; of what retention removed, the ledger is all there is."""
        for topic in self._topics:
            starts = self._kafka.starts(topic)
            parameters = {"topic": topic, "partitions": list(starts), "offsets": list(starts.values())}
            self._connection.execute(_FORGET_RECORDS if topic == EVENTS else _FORGET_LETTERS, parameters)
            self._connection.execute(_BEGIN_AGAIN, parameters)
        forget_sums(self._connection)
        self._connection.execute("UPDATE verified_rows SET before = NULL")

    def _forget_all(self) -> None:
        self._connection.execute("TRUNCATE verified_records, verified_letters, verified_topics")
        forget_sums(self._connection)
        self._connection.execute("UPDATE verified_rows SET before = NULL, newest = NULL")

    def read_on(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Read what has come since, or everything if the topic or the table is another."""
        self.erasures = read_erasures(self._connection)
        known = self._connection.execute("SELECT columns FROM verified_rows").fetchone()
        if known and known[0] != self.shape.description:
            self._forget_all()
            self._connection.execute("UPDATE verified_rows SET columns = %s", (self.shape.description,))
        added = sum(self._read_topic(topic, progress) for topic in (EVENTS, LETTERS, RETRIES) if topic in self._topics)
        if added > _BATCH:
            self._connection.execute("ANALYZE verified_records, verified_letters")

    def _read_topic(self, topic: str, progress: Callable[[str], None]) -> int:
        ends = self._kafka.ends(topic)
        starts = self._starts(topic, ends)
        records = (self._staged(topic, message) for message in read_records(self._kafka.config, topic, starts, ends))
        add = self._add_records if topic == EVENTS else self._add_letters
        added = 0
        while batch := list(islice(records, _BATCH)):
            added += len(batch)
            add(batch)
            progress(f"reading {topic}: {added:,} of at most {sum(ends.values()) - sum(starts.values()):,} records")
        self._connection.execute(
            "UPDATE verified_topics SET next_offset = greatest(next_offset, ends.offset) "
            'FROM unnest(%s::int[], %s::bigint[]) AS ends (partition, "offset") '
            "WHERE topic = %s AND verified_topics.partition = ends.partition",
            (list(ends), list(ends.values()), topic),
        )
        return added

    def _starts(self, topic: str, ends: Offsets) -> Offsets:
        """Return where to go on in each partition; a topic that is another one begins anew."""
        topic_id = self._kafka.topic_id(topic)
        rows = self._connection.execute(
            "SELECT partition, topic_id, next_offset FROM verified_topics WHERE topic = %s", (topic,)
        ).fetchall()
        if any(known != topic_id or following > ends.get(partition, 0) for partition, known, following in rows):
            self._forget_topic(topic)
            rows = []
        kept = self._kafka.starts(topic)
        starts = {partition: max(following, kept[partition]) for partition, _, following in rows}
        self._skip_unread(topic, starts)
        for partition in ends.keys() - starts.keys():
            starts[partition] = kept[partition]
            self._connection.execute(
                "INSERT INTO verified_topics VALUES (%s, %s, %s, %s, %s, %s, 0)",
                (topic, partition, topic_id, *(kept[partition],) * 3),
            )
        return starts

    def _skip_unread(self, topic: str, starts: Offsets) -> None:
        """Note what retention removed since the last time before it was read."""
        self._connection.execute(
            'UPDATE verified_topics SET unread = unread + start."offset" - next_offset, next_offset = start."offset" '
            'FROM unnest(%s::int[], %s::bigint[]) AS start (partition, "offset") '
            'WHERE topic = %s AND verified_topics.partition = start.partition AND next_offset < start."offset"',
            (list(starts), list(starts.values()), topic),
        )

    def _forget_topic(self, topic: str) -> None:
        self._connection.execute("DELETE FROM verified_topics WHERE topic = %s", (topic,))
        if topic == EVENTS:
            self._connection.execute("TRUNCATE verified_records")
            forget_sums(self._connection)
        else:
            self._connection.execute("DELETE FROM verified_letters WHERE topic = %s", (topic,))
        self._connection.execute("UPDATE verified_rows SET before = NULL")

    def _staged(self, topic: str, message: Message) -> Staged:
        position = Position(topic, message.partition() or 0, message.offset() or 0)
        fields = None if topic == LETTERS else self._reader.record(message.value())
        headers = message.headers() if topic != EVENTS else None
        origin, attempt = None, None
        if topic == LETTERS:
            origin, attempt = origin_of_letter(position, headers)
        elif topic == RETRIES:
            origin, attempt = origin_of_retry(position, headers)
        erased = bool(self.erasures.ends) and self._is_erased(message, position, fields)
        readable = topic == EVENTS and self._reader.is_readable(message.value())
        return Staged(position, sent_at(message), erased, origin, attempt, readable, fields)

    def _is_erased(self, message: Message, position: Position, fields: Mapping[str, Any] | None) -> bool:
        # A foreign record may have anything there.
        persons = [text_of(message.key()), None if fields is None else fields.get("user_id")]
        return any(self.erasures.cover(person, *position) for person in persons if isinstance(person, str))

    def _add_records(self, batch: Iterable[Staged]) -> None:
        stage(self._connection, self.shape, batch)
        row = self._connection.execute(sql.SQL(_NEWEST).format(moment=_MOMENT)).fetchone()
        statement = sql.SQL(_ADD_RECORDS).format(fingerprint=self.shape.staged_fingerprint(), moment=_MOMENT)
        self._connection.execute(statement, {"newest": row[0] if row else None})

    def _add_letters(self, batch: Iterable[Staged]) -> None:
        stage(self._connection, self.shape, batch)
        self._connection.execute(sql.SQL(_ADD_LETTERS).format(fingerprint=self.shape.staged_fingerprint()))

    def records_at(self, positions: Iterable[Position]) -> Iterator[Staged]:
        """Yield the records at some positions, as far as the topics still hold them."""
        for position in positions:
            if position.offset >= self._kafka.starts(position.topic)[position.partition]:
                starts, ends = {position.partition: position.offset}, {position.partition: position.offset + 1}
                for message in read_records(self._kafka.config, position.topic, starts, ends):
                    yield self._staged(position.topic, message)
