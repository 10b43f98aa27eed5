"""Erasing one person: everything that is on its way arrives first, then all of it goes, and verify is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import psycopg

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.lag import await_read
from pipeline.clients.positions import Position
from pipeline.clients.postgres import connect
from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.connectors import sink_group
from pipeline.erase.person import Holdings, find_holdings, remove
from pipeline.erase.remains import Remainder, find_remainders
from pipeline.erase.tombstones import send_tombstones
from pipeline.errors import NotReadyError, PipelineError
from pipeline.settings import Settings
from pipeline.verify.erasures import read_erasures, record_erasure
from pipeline.verify.events import EventReader, event_reader
from pipeline.verify.ledger import Ledger
from pipeline.verify.lock import verification_lock
from pipeline.verify.progress import await_statistics
from pipeline.verify.topics import EVENTS, LETTERS, LETTERS_SINK, PROFILES, RETRIES, SINK, STATS, STATS_SINK

_COMPACTED = (PROFILES, STATS)
_LATER = """
SELECT count(*) FROM verified_records AS record
JOIN unnest(%s::int[], %s::bigint[]) AS passed (partition, upto) USING (partition)
WHERE record.user_id = %s AND record."offset" >= passed.upto
"""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was removed: rows by table, tombstones, coordinates of the records that no longer count; what remains."""

    removed: Mapping[str, int]
    tombstones: Sequence[Position]
    remains: Sequence[Remainder]


def look_for(settings: Settings, user_id: str) -> Holdings:
    """Return what is there of a person. Raises PipelineError if nothing is."""
    reader = event_reader(SchemaRegistry(settings.schema_registry))
    with connect(settings.postgres_dsn, autocommit=True) as connection:
        holdings = find_holdings(connection, reader, user_id)
        if holdings.total:
            return holdings
        erased = " (someone of this id was erased before)" if read_erasures(connection).of(user_id) else ""
    message = f"nobody is known as {user_id}{erased}: no row in {', '.join(holdings.rows)}. Ids are compared as written"
    raise PipelineError(message)


def erase(
    settings: Settings, user_id: str, *, erased_by: str, timeout_seconds: float, progress: Callable[[str], None]
) -> Erased:
    """Remove a person everywhere, and remember by a hash that they were, so that `pipeline verify` stays exact.

    Raises NotReadyError if the pipeline has not written what the topics hold within ``timeout_seconds``, or if events
    of the person keep coming; repeated, it goes on where it was. Raises RejectedError or UnreachableError of the server
    concerned.
    """
    kafka = Kafka(settings.kafka_config())
    reader = event_reader(SchemaRegistry(settings.schema_registry))
    deadline = time.monotonic() + timeout_seconds
    with connect(settings.postgres_dsn, autocommit=True) as connection, verification_lock(connection, timeout_seconds):
        connection.execute("SET timezone TO 'UTC'")
        ledger = Ledger(connection, kafka, reader)
        ledger.open()
        run = _Run(connection, kafka, ledger, user_id)
        while True:
            progress("waiting until the topics are written to the tables …")
            ends = run.await_written(deadline)
            found = find_holdings(connection, reader, user_id)
            progress("removing …")
            compacted = [topic for topic in _COMPACTED if topic in run.topics]
            tombstones = send_tombstones(kafka.config, compacted, [user_id])
            run.await_tombstones(deadline)
            removed = run.remove(reader, ends, erased_by)
            if removed is not None:
                by_sinks = {name: found.rows[name] for name in ("users", "user_stats")}
                return Erased({**by_sinks, **removed}, tombstones, find_remainders(kafka))
            if time.monotonic() > deadline:
                message = f"events of {user_id} keep coming: stop what sends them, then repeat this"
                raise NotReadyError(message)


@dataclass
class _Run:
    """One erasure in progress."""

    connection: psycopg.Connection
    kafka: Kafka
    ledger: Ledger
    user_id: str

    def __post_init__(self) -> None:
        self.topics = self.kafka.partitions().keys()

    def await_written(self, deadline: float) -> Offsets:
        """Wait until what the topics hold now is written, and return the ends of the topic of events."""
        ends = self.kafka.ends(EVENTS)
        letters = [(LETTERS_SINK, topic) for topic in sorted(self.topics) if topic.startswith("dlq.")]
        for connector, topic in ((SINK, EVENTS), (SINK, RETRIES), (PROFILES, PROFILES), *letters):
            if topic in self.topics:
                self._await_sink(connector, topic, deadline)
        await_statistics(self.kafka, timeout_seconds=_left(deadline))
        return ends

    def await_tombstones(self, deadline: float) -> None:
        """Wait until the sinks have met the tombstones."""
        for connector, topic in ((PROFILES, PROFILES), (STATS_SINK, STATS)):
            if topic in self.topics:
                self._await_sink(connector, topic, deadline)

    def _await_sink(self, connector: str, topic: str, deadline: float) -> None:
        awaiting = f"sink {connector} to write what {topic} holds (see `pipeline status`)"
        await_read(self.kafka, sink_group(connector), topic, awaiting=awaiting, timeout_seconds=_left(deadline))

    def remove(self, reader: EventReader, ends: Offsets, erased_by: str) -> dict[str, int] | None:
        """Remove all rows, or none and return None where an event of the person came after ``ends``."""
        with self.connection.transaction():
            self.connection.execute("SELECT now()")  # sets the moment of the rows that go; the topics are read after it
            self.ledger.read_on()
            later = self.connection.execute(_LATER, (list(ends), list(ends.values()), self.user_id)).fetchone()
            if later and later[0]:
                return None
            removed = remove(self.connection, reader, self.user_id)
            record_erasure(self.connection, self.user_id, self._read_so_far(), erased_by=erased_by)
        return removed

    def _read_so_far(self) -> dict[str, Offsets]:
        read: dict[str, Offsets] = {EVENTS: {}, RETRIES: {}, LETTERS: {}}
        for topic, partition, end in self.connection.execute(
            "SELECT topic, partition, next_offset FROM verified_topics"
        ):
            read[topic][partition] = end
        return read


def _left(deadline: float) -> float:
    return max(1.0, deadline - time.monotonic())
