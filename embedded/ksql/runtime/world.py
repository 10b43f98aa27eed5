"""What statements see of Kafka while they are prepared: the cluster as it is, as it will be, or as it was."""

from __future__ import annotations

from dataclasses import dataclass, field

from embedded.ksql.errors import StatementError
from embedded.ksql.formats.interface import SchemaRegistry
from embedded.ksql.runtime.topics import Topics
from embedded.ksql.statements.changes import RETENTION, Change, TopicRequest, World

DEFAULT_RETENTION_MS = 604_800_000


@dataclass(frozen=True, slots=True)
class KafkaWorld:
    """The cluster as it is."""

    topics: Topics
    registry: SchemaRegistry

    def partitions(self, topic: str) -> int | None:
        """Return how many partitions a topic has, or None if there is no such topic."""
        return self.topics.partitions(topic)

    def replicas(self, topic: str) -> int:
        """Return a topic's replication factor."""
        return self.topics.replicas(topic)

    def retention_ms(self, topic: str) -> int:
        """Return how long a topic keeps its records. Raises StatementError if there is no such topic."""
        if self.topics.partitions(topic) is None:
            raise StatementError(f"Topic '{topic}' does not exist.")
        return int(self.topics.config(topic).get(RETENTION, DEFAULT_RETENTION_MS))


@dataclass(slots=True)
class PlannedWorld:
    """The cluster as it will be after the statements before: for trying out a request of several statements."""

    now: World
    created: dict[str, TopicRequest] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    @property
    def registry(self) -> SchemaRegistry:
        """The Schema Registry."""
        return self.now.registry

    def expect(self, change: Change) -> None:
        """Take note of the topics that a change creates and deletes."""
        if change.deleted_topic is not None:
            self.deleted.add(change.deleted_topic)
            self.created.pop(change.deleted_topic, None)
        if change.topic is not None and (
            change.topic.name in self.deleted or self.partitions(change.topic.name) is None
        ):
            self.created[change.topic.name] = change.topic

    def partitions(self, topic: str) -> int | None:
        """Return how many partitions a topic will have."""
        if topic in self.created:
            return self.created[topic].partitions
        return None if topic in self.deleted else self.now.partitions(topic)

    def replicas(self, topic: str) -> int:
        """Return a topic's replication factor."""
        return self.created[topic].replicas if topic in self.created else self.now.replicas(topic)

    def retention_ms(self, topic: str) -> int:
        """Return how long a topic will keep its records."""
        if topic in self.created:
            return self.created[topic].retention_ms or DEFAULT_RETENTION_MS
        return self.now.retention_ms(topic)


@dataclass(frozen=True, slots=True)
class ReplayedWorld:
    """The cluster as it was: topics may be gone since, and statements have their partitions written out."""

    now: KafkaWorld

    @property
    def registry(self) -> SchemaRegistry:
        """The Schema Registry."""
        return self.now.registry

    def partitions(self, topic: str) -> int | None:
        """Return how many partitions a topic has, 1 if it is gone."""
        return self.now.partitions(topic) or 1

    def replicas(self, topic: str) -> int:
        """Return a topic's replication factor."""
        return self.now.replicas(topic)

    def retention_ms(self, topic: str) -> int:
        """Return how long a topic keeps its records, the broker's default if it is gone."""
        return DEFAULT_RETENTION_MS if self.now.partitions(topic) is None else self.now.retention_ms(topic)
