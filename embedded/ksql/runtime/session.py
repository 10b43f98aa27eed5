"""One run of a persistent query: state restored, then micro-batches, each one transaction.

All partitions of all sources are read here, by one worker: state is global to the process, so there are no
repartition topics and no co-partitioning to keep; the price is that one query uses one core at most.

Everything a batch did (output rows, changes of state, skipped records, input offsets) is written in one Kafka
transaction. If that fails, nothing of it happened: the session is thrown away and the next one starts from what
was committed. So the state here runs ahead of the broker by one batch at most.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from uuid import uuid4

from confluent_kafka import TopicPartition

from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language.rewriting import walk
from embedded.ksql.operators.build import build_topology
from embedded.ksql.operators.interface import ExpressionFailure, Row
from embedded.ksql.planning.plan import Sink, Source
from embedded.ksql.runtime import processing_log
from embedded.ksql.runtime.changelog import create_changelogs, restore
from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.decoding import BadRecord
from embedded.ksql.runtime.encoding import Encoder
from embedded.ksql.runtime.naming import changelog_topic, consumer_group, processing_log_topic
from embedded.ksql.runtime.output import Changes, Output
from embedded.ksql.runtime.query_settings import QuerySettings
from embedded.ksql.runtime.registry import RegistryClient
from embedded.ksql.runtime.source_input import Gathered, Partition, SourceInput, commit_marks, committed_offsets
from embedded.ksql.runtime.source_partitions import SourcePartitions
from embedded.ksql.runtime.topics import Topics

BATCH_ROWS = 10_000
LINGER_MS = 100  # full batches; committing sends at once what waits
IDLE_SECONDS = 0.1
LOOK_SECONDS = 1.0
IDLE_COMMIT_SECONDS = 3_600.0
MILLISECONDS = 1_000
ERRORS_KEPT = 10
# What this process writes beside the offsets that it commits, as Kafka's metadata of an offset.
COMMITTED_BY = f"ksql-{uuid4()}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """What every query needs of the world outside."""

    clients: KafkaClients
    topics: Topics
    registry: RegistryClient
    service_id: str


@dataclass(slots=True)
class Statistics:
    """Counters of one query since the process started."""

    records_in: int = 0
    records_out: int = 0
    errors: int = 0
    commits: int = 0
    restarts: int = 0
    last_message_ms: int = 0
    recent_errors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class QueryDefinition:
    """A persistent query: what it is called, what it does, and how."""

    query_id: str
    plan: Sink
    settings: QuerySettings


class Session:
    """A query's consumer, transactional producer and topology, from one (re)start to the next.

    Making one raises ServerError if a topic is missing.
    """

    def __init__(self, definition: QueryDefinition, cluster: Cluster, statistics: Statistics) -> None:
        self.positions: dict[Partition, int] = {}  # the next offset to process of each source partition
        self.lag_records = 0  # how many records of the sources were not processed yet
        self._next_look = 0.0
        self._committed_at = 0.0
        self.lock = Lock()  # held while state changes; pull queries take it to read
        self._definition, self._cluster, self._statistics = definition, cluster, statistics
        topics = {part.topic for part in walk(definition.plan.input) if isinstance(part, Source)}
        self._partitions = SourcePartitions(definition.query_id, topics, cluster.topics)
        cache, most = definition.settings.cache, self._partitions.most
        self.topology = build_topology(definition.plan, LIBRARY, cache=cache, partitions=most)
        self._stores = {
            changelog_topic(cluster.service_id, definition.query_id, store.name): store
            for store in self.topology.stores
        }
        self._errors: list[bytes] = []
        self._log_topic = processing_log_topic(cluster.service_id)
        several = len(self.topology.sources) > 1
        group = consumer_group(cluster.service_id, definition.query_id)
        self._consumer = cluster.clients.consumer(group, enable_partition_eof=several, auto_offset_reset="earliest")
        producer = cluster.clients.producer(f"{cluster.service_id}{definition.query_id}", linger_ms=LINGER_MS)
        self._output = Output(producer, self._log_topic, cluster.clients.transaction_seconds)

    def is_taken_over(self) -> bool:
        """Whether another process was the last to commit the query's offsets. Raises KafkaException."""
        return any(mark not in ("", COMMITTED_BY) for mark in commit_marks(self._consumer, self._partitions.all()))

    def open(self) -> None:
        """Fence earlier runs, restore the stores, seek to the committed offsets."""
        cluster, definition = self._cluster, self._definition
        self._output.open()
        stores, most = self.topology.stores, self._partitions.most
        create_changelogs(cluster.topics, cluster.service_id, definition.query_id, stores, most)
        for topic, store in self._stores.items():
            restore(cluster.clients, topic, cluster.topics.partitions(topic) or 1, store)
        self._input = SourceInput(self._consumer, self.topology, cluster.registry)
        sink_partitions = cluster.topics.partitions(definition.plan.topic or "") or 1
        self._encoder = Encoder(definition.plan, sink_partitions, cluster.registry)
        self._input.assign(self._positions(self._partitions.all()))
        # "latest" means the end as it is now: a restart must not skip what comes in until then. And Kafka forgets the
        # offsets of a group that has not committed for long: all would be counted once more on top of the state.
        self._commit([], self._drain_stores())
        self._note_progress()

    def step(self) -> None:
        """Gather records for as long as the settings say, process them, commit."""
        self._partitions.look()
        deadline = time.monotonic() + self._definition.settings.linger_ms / MILLISECONDS
        wait, taken = IDLE_SECONDS, 0
        while True:
            gathered = self._input.gather(BATCH_ROWS, wait)
            taken += self._process(gathered)
            wait = deadline - time.monotonic()
            if not gathered.runs or taken >= BATCH_ROWS or wait <= 0:
                break
        with self.lock:
            self.topology.advance(int(time.time() * MILLISECONDS))
            self.topology.flush()
            rows = self.topology.drain()
            changes = self._drain_stores()
        self._note_failures(self.topology.drain_failures())
        if taken or rows or any(changes.values()):
            self._commit(rows, changes)
            self._statistics.last_message_ms = int(time.time() * MILLISECONDS)
        else:
            self._commit_again()
        self._note_progress()

    def close(self) -> None:
        """Close the clients; a transaction that is still open is aborted by the next run, or by its timeout."""
        self._consumer.close()
        self._output.close()

    def _note_progress(self) -> None:
        """Note positions and lag for other threads: asking the consumer while this one polls it would deadlock."""
        reached = self._input.positions()
        self.positions = {(one.topic, one.partition): one.offset for one in reached}
        ends = [
            self._consumer.get_watermark_offsets(TopicPartition(one.topic, one.partition), cached=True)[1]
            for one in reached
        ]
        self.lag_records = sum(max(0, end - one.offset) for one, end in zip(reached, ends, strict=True))

    def note_waiting(self) -> None:
        """Note the lag of a query that rests, once a second at most: its consumer hears of nothing new."""
        self._commit_again()
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        ends = {topic: self._cluster.topics.offsets(topic) for topic in self._partitions.counts}
        for topic, partitions in ends.items():
            self._partitions.compare(topic, len(partitions))
        reached = self.positions.items()
        self.lag_records = sum(max(0, ends[topic][number][1] - offset) for (topic, number), offset in reached)

    def state_rows(self) -> int:
        """Return how many rows all stores hold."""
        with self.lock:
            return sum(len(store) for store in self._stores.values())

    def _positions(self, partitions: Sequence[Partition]) -> dict[Partition, int]:
        committed = committed_offsets(self._consumer, partitions)
        positions = dict(committed)
        missing = set(partitions) - set(positions)
        # Tables are read from their beginning whatever the setting: half a table is no table.
        tables = {source.topic for source in self.topology.sources if source.kind == "TABLE"}
        for topic in {topic for topic, _ in missing}:
            # "latest" is when the query began: what was added to its topic since then is read from the beginning.
            is_added = any(known == topic for known, _ in committed)
            for store in self.topology.stores if is_added else ():
                store.times.begin(self._partitions.most)
            earliest = self._definition.settings.from_earliest or topic in tables or is_added
            for number, (first, end) in enumerate(self._cluster.topics.offsets(topic)):
                if (topic, number) in missing:
                    positions[topic, number] = first if earliest else end
        return positions

    def _drain_stores(self) -> Changes:
        return {topic: store.drain_changes() for topic, store in self._stores.items()}

    def _process(self, gathered: Gathered) -> int:
        taken = len(gathered.bad)
        with self.lock:
            for source, rows in gathered.runs:
                self.topology.process(source, rows)
                taken += len(rows)
        self._statistics.records_in += taken
        for bad in gathered.bad:
            self._note_bad(bad)
        return taken

    def _note_bad(self, bad: BadRecord) -> None:
        self._skip(processing_log.of_bad_record(self._definition.query_id, bad), bad.reason)

    def _note_failures(self, failures: Sequence[ExpressionFailure]) -> None:
        for failure in failures:
            self._skip(processing_log.of_failure(self._definition.query_id, failure), failure.message)

    def _skip(self, entry: bytes, reason: str) -> None:
        self._errors.append(entry)
        self._statistics.errors += 1
        self._statistics.recent_errors = [*self._statistics.recent_errors[1 - ERRORS_KEPT :], reason]

    def _commit_again(self) -> None:
        """Commit the offsets now and then though nothing came, so that Kafka does not forget them."""
        if time.monotonic() - self._committed_at > IDLE_COMMIT_SECONDS:
            self._commit([], {})

    def _commit(self, rows: Sequence[Row], changes: Changes) -> None:
        if self._errors and self._cluster.topics.partitions(self._log_topic) is None:
            self._cluster.topics.create(self._log_topic, 1, 1, {})
        records = self._encoder.encode(rows)
        reached = [
            TopicPartition(one.topic, one.partition, one.offset, metadata=COMMITTED_BY)
            for one in self._input.positions()
        ]
        offsets = (reached, self._consumer.consumer_group_metadata())
        self._output.write(self._definition.plan.topic, records, changes, self._errors, offsets)
        self._errors = []
        self._statistics.records_out += len(records)
        self._statistics.commits += 1
        self._committed_at = time.monotonic()
