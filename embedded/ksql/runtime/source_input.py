"""What a query reads: consuming its topics, decoding, and the order in which records of several topics are seen.

A query with one source takes records as they come. With several (joins) the record with the lowest time goes
first, and nothing is taken while a partition that has more records has none at hand: so a join over a backlog
gives the same rows whatever the network does. (Kafka Streams does this per task with max.task.idle.ms.)
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaError, KafkaException, Message, TopicPartition

from embedded.ksql.errors import UnavailableError
from embedded.ksql.formats.interface import SchemaRegistry
from embedded.ksql.operators.interface import Row, Topology
from embedded.ksql.planning.column_use import used_columns
from embedded.ksql.runtime.decoding import BadRecord, Decoder

Partition = tuple[str, int]

GATHER_SECONDS = 0.005
COMMITTED_SECONDS = 60.0
HIGH_WATER_ROWS = 20_000


class Gathered(NamedTuple):
    """Rows to process, in order, as (source index, rows); and what could not be decoded."""

    runs: list[tuple[int, list[Row]]]
    bad: list[BadRecord]


class SourceInput:
    """The input side of one query: every partition of every source."""

    def __init__(self, consumer: Consumer, topology: Topology, registry: SchemaRegistry) -> None:
        self._consumer = consumer
        sources = topology.sources
        self._decoders = [
            Decoder(source, registry, used) for source, used in zip(sources, used_columns(topology.plan), strict=True)
        ]
        self._indexes: dict[str, list[int]] = {}
        for index, source in enumerate(sources):
            self._indexes.setdefault(source.topic, []).append(index)
        self._merged = len(sources) > 1
        self._assigned: list[TopicPartition] = []
        self._start: dict[Partition, int] = {}
        self._buffers: dict[Partition, deque[tuple[int, Row]]] = {}
        self._bad: dict[Partition, deque[BadRecord]] = {}
        self._at_end: set[Partition] = set()
        self._paused: set[Partition] = set()

    def assign(self, positions: Mapping[Partition, int]) -> None:
        """Begin at the given offsets."""
        self._start = dict(positions)
        self._assigned = [TopicPartition(topic, number, offset) for (topic, number), offset in positions.items()]
        self._buffers = {partition: deque() for partition in positions}
        self._bad = {partition: deque() for partition in positions}
        self._consumer.assign(self._assigned)

    def gather(self, limit: int, wait_seconds: float) -> Gathered:
        """Wait for records at most so long, then take what is there, at most ``limit``."""
        messages: list[Message] = []
        first = self._consumer.poll(wait_seconds)
        if first is not None:
            messages.append(first)
            messages += self._consumer.consume(limit - 1, GATHER_SECONDS)
        if self._merged:
            return self._merge(messages)
        for message in messages:
            error = message.error()
            if error is not None:
                raise KafkaException(error)
        rows, bad = self._decoders[0].decode(messages)
        return Gathered([(0, rows)] if rows else [], bad)

    def positions(self) -> list[TopicPartition]:
        """Return, a partition, the offset of the first record that was not processed."""
        found = []
        for reached in self._consumer.position([TopicPartition(tp.topic, tp.partition) for tp in self._assigned]):
            partition = (reached.topic, reached.partition)
            buffer = self._buffers[partition]
            offset = buffer[0][1].offset if buffer else reached.offset
            if offset == OFFSET_INVALID or offset < 0:
                offset = self._start[partition]
            found.append(TopicPartition(reached.topic, reached.partition, offset))
        return found

    def _merge(self, messages: Sequence[Message]) -> Gathered:
        for partition, batch in self._by_partition(messages):
            buffer = self._buffers[partition]
            indexes = self._indexes[partition[0]]
            decoded = [self._decoders[index].decode(batch) for index in indexes]
            refused = {one.offset: one for _, bad in reversed(decoded) for one in bad}
            self._bad[partition].extend(refused[offset] for offset in sorted(refused))
            # One topic read twice (a self-join): each record is seen by both sources in turn.
            entries = [(index, row) for index, (rows, _) in zip(indexes, decoded, strict=True) for row in rows]
            if len(indexes) > 1:
                entries.sort(key=lambda entry: entry[1].offset)
            buffer.extend(entries)
        runs: list[tuple[int, list[Row]]] = []
        for index, row in self._in_time_order():
            if not runs or runs[-1][0] != index:
                runs.append((index, []))
            runs[-1][1].append(row)
        self._hold_back()
        return Gathered(runs, list(self._passed()))

    def _by_partition(self, messages: Sequence[Message]) -> Iterator[tuple[Partition, list[Message]]]:
        batches: dict[Partition, list[Message]] = {}
        for message in messages:
            partition = (message.topic() or "", message.partition() or 0)
            error = message.error()
            if error is None:
                batches.setdefault(partition, []).append(message)
                self._at_end.discard(partition)
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - librdkafka's public name for it
                self._at_end.add(partition)
            else:
                raise KafkaException(error)
        yield from batches.items()

    def _in_time_order(self) -> Iterator[tuple[int, Row]]:
        if any(not buffer and partition not in self._at_end for partition, buffer in self._buffers.items()):
            return
        order = {partition: rank for rank, partition in enumerate(self._buffers)}
        heads = [
            (buffer[0][1].timestamp, order[partition], partition)
            for partition, buffer in self._buffers.items()
            if buffer
        ]
        heapq.heapify(heads)
        while heads:
            _, rank, partition = heads[0]
            buffer = self._buffers[partition]
            yield buffer.popleft()
            if buffer:
                heapq.heapreplace(heads, (buffer[0][1].timestamp, rank, partition))
            elif partition in self._at_end:
                heapq.heappop(heads)
            else:
                return

    def _passed(self) -> Iterator[BadRecord]:
        """Yield the bad records that no waiting row comes before: those that the next commit leaves behind."""
        for partition, waiting in self._bad.items():
            buffer = self._buffers[partition]
            while waiting and (not buffer or waiting[0].offset < buffer[0][1].offset):
                yield waiting.popleft()

    def _hold_back(self) -> None:
        """Pause partitions that run far ahead of the others, resume those that were caught up with."""
        full = {partition for partition, buffer in self._buffers.items() if len(buffer) > HIGH_WATER_ROWS}
        if full - self._paused:
            self._consumer.pause([TopicPartition(*partition) for partition in full - self._paused])
        if self._paused - full:
            self._consumer.resume([TopicPartition(*partition) for partition in self._paused - full])
        self._paused = full


def committed_offsets(consumer: Consumer, partitions: Sequence[Partition]) -> dict[Partition, int]:
    """Return the committed offset of each partition that has one. Raises UnavailableError, KafkaException."""
    offsets = {}
    for reached in consumer.committed([TopicPartition(*partition) for partition in partitions], COMMITTED_SECONDS):
        if reached.error is not None:
            place = f"{reached.topic}, partition {reached.partition}"
            raise UnavailableError(f"Kafka does not tell the committed offset of {place}: {reached.error.str()}")
        if reached.offset >= 0:
            offsets[reached.topic, reached.partition] = reached.offset
    return offsets


def commit_marks(consumer: Consumer, partitions: Sequence[Partition]) -> set[str]:
    """Return what was written beside the committed offsets, nothing where there was nothing. Raises KafkaException."""
    committed = consumer.committed([TopicPartition(*partition) for partition in partitions], COMMITTED_SECONDS)
    return {reached.metadata or "" for reached in committed}
