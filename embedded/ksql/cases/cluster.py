"""Kafka and a Schema Registry as far as a case needs them: topics are lists, schemas a dictionary."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

PARTITION = 0
WEEK_MS = 604_800_000
_CREATE_TIME = 1
#: A broker has no topic that a statement has not created; here every one is there but those so named.
ABSENT = "no-such-"


class Registry:
    """Implements ``formats.interface.SchemaRegistry``."""

    def __init__(self) -> None:
        self._schemas: list[str] = []
        self._latest: dict[str, int] = {}

    def latest(self, subject: str) -> tuple[int, str] | None:
        """Return id and schema of the subject's newest version, or None."""
        found = self._latest.get(subject)
        return None if found is None else (found, self._schemas[found - 1])

    def by_id(self, schema_id: int) -> str:
        """Return a schema. Raises LookupError."""
        if not 0 < schema_id <= len(self._schemas):
            raise LookupError(f"no schema with id {schema_id}")
        return self._schemas[schema_id - 1]

    def register(self, subject: str, schema: str) -> int:
        """Register a schema and return its id."""
        if schema not in self._schemas:
            self._schemas.append(schema)
        self._latest[subject] = self._schemas.index(schema) + 1
        return self._latest[subject]


@dataclass(frozen=True, slots=True)
class Message:
    """A record with the accessors of confluent_kafka's."""

    topic_name: str
    key_bytes: bytes | None
    value_bytes: bytes | None
    timestamp_ms: int
    position: int

    def topic(self) -> str:
        """Return the topic."""
        return self.topic_name

    def partition(self) -> int:
        """Return the only partition."""
        return PARTITION

    def offset(self) -> int:
        """Return the offset."""
        return self.position

    def key(self) -> bytes | None:
        """Return the key."""
        return self.key_bytes

    def value(self) -> bytes | None:
        """Return the value."""
        return self.value_bytes

    def timestamp(self) -> tuple[int, int]:
        """Return kind and milliseconds."""
        return _CREATE_TIME, self.timestamp_ms

    def headers(self) -> None:
        """Return no headers."""


@dataclass(slots=True)
class Cluster:
    """Topics of one partition each; implements ``statements.changes.World``."""

    registry: Registry = field(default_factory=Registry)
    topics: defaultdict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))

    def append(self, topic: str, key: bytes | None, value: bytes | None, timestamp_ms: int) -> None:
        """Write a record."""
        log = self.topics[topic]
        log.append(Message(topic, key, value, timestamp_ms, len(log)))

    def partitions(self, topic: str) -> int | None:
        """Return 1, or None for a topic that is not there."""
        return None if topic.startswith(ABSENT) else 1

    def replicas(self, topic: str) -> int:  # noqa: ARG002 - the protocol's argument
        """Return 1."""
        return 1

    def retention_ms(self, topic: str) -> int:  # noqa: ARG002 - the protocol's argument
        """Return a week, a broker's default."""
        return WEEK_MS


@dataclass(frozen=True, slots=True)
class InMemoryProducer:
    """What ``RecordWriter`` needs of a Kafka producer, over a cluster in memory."""

    cluster: Cluster

    def produce(self, topic: str, value: bytes | None, key: bytes | None, *, timestamp: int, **_: object) -> None:
        """Write a record."""
        self.cluster.append(topic, key, value, timestamp)

    def flush(self, _seconds: float) -> int:
        """Return that nothing waits."""
        return 0
