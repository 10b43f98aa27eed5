"""Kafka clients of the engine: one place for their properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

log = structlog.get_logger(__name__)

MILLISECONDS = 1_000
TRANSACTION_TIMEOUT_MS = 60_000
LARGEST_RECORD_BYTES = 16 << 20  # a group's whole state is one record; librdkafka takes a million bytes by itself
# What librdkafka reports when a broker is away; it reconnects by itself, so one line at debug level is enough.
TRANSIENT = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._RESOLVE})  # noqa: SLF001

# Kafka has ended our transaction, or let somebody else have our transactional id.
FENCED = frozenset({KafkaError._FENCED, KafkaError.PRODUCER_FENCED})  # noqa: SLF001

_REFUSED = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL})  # noqa: SLF001


class KafkaClients:
    """Makes consumers, producers and the admin client with the process's connection settings."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = dict(config)
        self.transaction_seconds = TRANSACTION_TIMEOUT_MS / MILLISECONDS  # then Kafka ends a transaction by itself
        self.refusal: str | None = None  # why a broker and we did not come together: credentials or certificates

    def admin(self) -> AdminClient:
        """Return a new admin client."""
        return AdminClient(self._base())

    def consumer(self, group: str, **properties: Any) -> Consumer:
        """Return a consumer that reads committed records only and commits nothing by itself."""
        defaults = {
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": False,
            "fetch.wait.max.ms": 100,
            "fetch.error.backoff.ms": 20,
            # Half of what librdkafka would buffer: several queries share one process's memory.
            "queued.max.messages.kbytes": 16_384,
            "queued.min.messages": 20_000,
            "allow.auto.create.topics": False,
        }
        return Consumer({**self._base(), **defaults, **_dotted(properties)})

    def producer(self, transactional_id: str | None = None, **properties: Any) -> Producer:
        """Return a producer that partitions as the Java client does; transactional if it has an id."""
        defaults: dict[str, Any] = {
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 5,
            "queue.buffering.max.messages": 1_000_000,
            "queue.buffering.max.kbytes": 262_144,
            "message.max.bytes": LARGEST_RECORD_BYTES,
            "acks": "all",
            "enable.idempotence": True,
        }
        if transactional_id is not None:
            defaults["transactional.id"] = transactional_id
            defaults["transaction.timeout.ms"] = int(self.transaction_seconds * MILLISECONDS)
        return Producer({**self._base(), **defaults, **_dotted(properties)})

    def _base(self) -> dict[str, Any]:
        # "log_level" 2 keeps librdkafka's own lines off stderr; what matters arrives through the error callback.
        return {**self._config, "error_cb": self._report, "log_level": 2, "reconnect.backoff.max.ms": 2_000}

    def _report(self, error: KafkaError) -> None:
        if error.code() in _REFUSED:
            self.refusal = " ".join(error.str().split())
        if error.code() in TRANSIENT:
            log.debug("kafka.unreachable", error=error.str())
        else:
            log.warning("kafka.error", error=error.str())


def cause_of(error: KafkaException) -> KafkaError:
    """Return the error that an exception of the client carries."""
    cause = error.args[0]
    if not isinstance(cause, KafkaError):
        raise TypeError(f"a KafkaException without a KafkaError: {error!r}") from error
    return cause


def _dotted(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "."): value for name, value in properties.items()}
