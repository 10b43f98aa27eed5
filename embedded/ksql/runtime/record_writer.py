"""Records that the server itself writes: encoded as a source declares, acknowledged by the broker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from confluent_kafka import KafkaException, Message, Producer

from embedded.ksql.errors import ServerError
from embedded.ksql.formats.interface import SchemaRegistry
from embedded.ksql.formats.serdes import key_serde, value_serde
from embedded.ksql.planning.catalog import DeclaredSource
from embedded.ksql.runtime.clients import cause_of

FLUSH_SECONDS = 30.0
MILLISECONDS = 1_000


class Values(NamedTuple):
    """What is said of one record: key and value columns in declared order, and its time if it has one."""

    key: tuple[Any, ...]
    value: tuple[Any, ...]
    timestamp: int | None


class RecordWriter:
    """Writes records of one stream or table."""

    def __init__(self, source: DeclaredSource, registry: SchemaRegistry, producer: Producer) -> None:
        schema, self._topic, self._producer = source.schema, source.topic, producer
        self._key = key_serde(source.key_format, schema.key, topic=source.topic, registry=registry)
        self._value = value_serde(source.value_format, schema.payload, topic=source.topic, registry=registry)

    def write(self, records: Sequence[Values]) -> None:
        """Write records and wait for the broker. Raises ServerError if it does not take one of them."""
        failures: list[str] = []

        def delivered(error: object, _: Message) -> None:
            if error is not None:
                failures.append(str(error))

        try:
            for key, value, timestamp in records:
                self._producer.produce(
                    self._topic,
                    self._value.serialize(value),
                    self._key.serialize(key) if any(part is not None for part in key) else None,
                    timestamp=int(time.time() * MILLISECONDS) if timestamp is None else timestamp,
                    on_delivery=delivered,
                )
            unsent = self._producer.flush(FLUSH_SECONDS)
        except KafkaException as error:
            raise ServerError(f"Could not write to topic {self._topic}: {cause_of(error).str()}") from error
        if failures or unsent:
            raise ServerError(f"Could not write to topic {self._topic}: {failures[0] if failures else 'timed out'}")
