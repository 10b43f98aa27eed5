"""Rows to Kafka records: key, window, value, time and partition of a sink."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from embedded.ksql.formats.interface import SchemaRegistry, Serde
from embedded.ksql.formats.serdes import key_serde, value_serde
from embedded.ksql.formats.windowed_keys import wrap
from embedded.ksql.operators.interface import Row
from embedded.ksql.partitioning import partitioner
from embedded.ksql.planning.plan import Sink
from embedded.ksql.runtime.decoding import timestamp_extractor

ANY_PARTITION = -1  # the producer chooses by the key


class Record(NamedTuple):
    """What is produced; the order is the producer's own, so that a record can be passed on as it is."""

    value: bytes | None
    key: bytes | None
    partition: int
    timestamp: int


class Encoder:
    """Encodes the rows of one sink, in batches. Schemas are registered when it is made."""

    def __init__(self, sink: Sink, partitions: int, registry: SchemaRegistry) -> None:
        topic = sink.topic or ""
        self._key: Serde | None = None
        if sink.schema.key and sink.key_format.name != "NONE":
            self._key = key_serde(sink.key_format, sink.schema.key, topic=topic, registry=registry)
        self._value = value_serde(sink.value_format, sink.schema.value, topic=topic, registry=registry)
        self._window = sink.window
        self._timestamp = timestamp_extractor(sink.timestamp, sink.schema)
        self._partition = partitioner(partitions)

    def encode(self, rows: Sequence[Row]) -> list[Record]:
        """Return one record a row, in order."""
        records: list[Record] = []
        append, new = records.append, tuple.__new__
        write_key = None if self._key is None else self._key.serialize
        write_value, window_info, choose, time_of = (
            self._value.serialize,
            self._window,
            self._partition,
            self._timestamp,
        )
        for key, value, row_time, window, _, _ in rows:
            time, partition = row_time, ANY_PARTITION
            if time_of is not None and value is not None:
                time = time_of(key, value)
            data = None if key is None or write_key is None else write_key(key)
            if data is not None and window_info is not None and window is not None:
                partition = choose(data)
                data = wrap(data, window, window_info.kind)
            append(new(Record, (None if value is None else write_value(value), data, partition, time)))
        return records
