"""Profiles as the compacted topic users and its replays hold them: the last record of each key, in temporary tables.

The topic is read whole by each verification: compaction takes from it what a ledger would have to know, and such a
ledger would hold persons.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import psycopg
from confluent_kafka import Message
from psycopg import sql

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.letter_headers import text_of
from pipeline.clients.positions import Position
from pipeline.clients.postgres import table_exists
from pipeline.clients.records import read_records, sent_at
from pipeline.declared.connectors import sink_group
from pipeline.verify.events import EventReader
from pipeline.verify.origins import origin_of_retry
from pipeline.verify.rows import RowShape, read_shape, values_of
from pipeline.verify.topics import LETTERS_SINK, PROFILE_LETTERS, PROFILE_RETRIES, PROFILES

_BATCH = 50_000

_ARRIVING = """
CREATE TEMPORARY TABLE arriving_profiles (
    _topic text, _partition integer, _offset bigint, _key text, _sent_at timestamptz, _origin_partition integer,
    _origin_offset bigint, _attempt integer, _deleted boolean, holdable boolean, {columns}
);
CREATE TEMPORARY TABLE profile_records AS SELECT *, NULL::uuid AS _fingerprint FROM arriving_profiles
"""
_FORGET_OLDER = """
DELETE FROM profile_records AS older USING arriving_profiles AS newer
WHERE (older._topic, older._partition, older._key) = (newer._topic, newer._partition, newer._key)
    AND (older._origin_partition, older._origin_offset)
        IS NOT DISTINCT FROM (newer._origin_partition, newer._origin_offset)
"""
_ADD = "INSERT INTO profile_records SELECT staged.*, {fingerprint} FROM arriving_profiles AS staged"


@dataclass(frozen=True, slots=True)
class Passed:
    """What the sink had passed before a look, and whether each record that it had refused was a dead letter by then."""

    committed: Mapping[str, Offsets]
    letters_arrived: bool


class ProfileRecords:
    """What the topic and its replays hold, in temporary tables of the connection; nothing where they are not there."""

    def __init__(self, connection: psycopg.Connection, kafka: Kafka, reader: EventReader) -> None:
        self.connection, self._kafka, self._reader = connection, kafka, reader
        self._there = kafka.partitions().keys()
        self._next: dict[str, Offsets] = {}
        self.shape = RowShape({})
        if PROFILES in self._there and table_exists(connection, PROFILES):
            self.shape = read_shape(connection, PROFILES)
            columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in self.shape.columns)
            connection.execute(sql.SQL(_ARRIVING).format(columns=columns))
            self._next = {topic: kafka.starts(topic) for topic in (PROFILES, PROFILE_RETRIES) if topic in self._there}
        self.is_complete = not any(self._next.get(PROFILES, {}).values())

    def passed(self) -> Passed:
        """Ask how far the sinks are; to be called before PostgreSQL is looked at."""
        committed = {topic: self._kafka.committed(sink_group(PROFILES), topic) for topic in self._next}
        if not self._next or PROFILE_LETTERS not in self._there:
            return Passed(committed, letters_arrived=True)
        starts, ends = self._kafka.starts(PROFILE_LETTERS), self._kafka.ends(PROFILE_LETTERS)
        letters = self._kafka.committed(sink_group(LETTERS_SINK), PROFILE_LETTERS)
        arrived = (max(letters.get(partition, 0), starts[partition]) >= end for partition, end in ends.items())
        return Passed(committed, all(arrived))

    def ends(self) -> dict[str, Offsets]:
        """Return where the topics end now."""
        return {topic: self._kafka.ends(topic) for topic in self._next}

    def read_on(self) -> None:
        """Read what has come since, after PostgreSQL's moment is set."""
        for topic, following in self._next.items():
            ends = self._kafka.ends(topic)
            starts = {partition: following.get(partition, 0) for partition in ends}
            messages = read_records(self._kafka.config, topic, starts, ends)
            while batch := list(islice(messages, _BATCH)):
                origins = [(message, _origin(topic, message)) for message in batch if message.key() is not None]
                last = {(message.partition(), message.key(), origin): message for message, origin in origins}
                self._add(topic, last)
            self._next[topic] = ends

    def _add(self, topic: str, last: Mapping[tuple[Any, Any, tuple[Any, ...]], Message]) -> None:
        names, moments = tuple(self.shape.columns), self.shape.moments
        self.connection.execute("TRUNCATE arriving_profiles")
        with self.connection.cursor().copy("COPY arriving_profiles FROM STDIN") as copy:
            for (partition, _, origin), message in last.items():
                key, value = text_of(message.key()) or "", message.value()
                fields = self._reader.record(value)
                holdable, values = values_of(fields and {**fields, "user_id": key}, names, moments)
                place = (topic, partition, message.offset(), key.replace("\x00", "\ufffd"))
                copy.write_row((*place, sent_at(message), *origin, value is None, holdable, *values))
        self.connection.execute(_FORGET_OLDER)
        self.connection.execute(sql.SQL(_ADD).format(fingerprint=self.shape.staged_fingerprint()))


def _origin(topic: str, message: Message) -> tuple[int | None, int | None, int | None]:
    """Return partition and offset of the record that a replay stems from, and the number of the attempt."""
    if topic == PROFILES:
        return None, None, None
    origin, attempt = origin_of_retry(
        Position(topic, message.partition() or 0, message.offset() or 0), message.headers()
    )
    return (origin.partition, origin.offset, attempt) if origin.topic == PROFILES else (None, None, None)
