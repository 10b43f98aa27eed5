"""Topics that statements create: new ones by ksqlDB's rules, existing ones only if they fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from embedded.ksql.errors import ServerError
from embedded.ksql.runtime.topics import Topics

CLEANUP_POLICY = "cleanup.policy"
RETENTION = "retention.ms"


@dataclass(frozen=True, slots=True)
class TopicRequest:
    """A topic as a statement wants it; ``retention_ms`` None leaves it to the broker."""

    name: str
    partitions: int
    replicas: int
    cleanup_policy: str
    retention_ms: int | None = None

    def config(self) -> Mapping[str, str]:
        """Return the topic's settings."""
        config = {CLEANUP_POLICY: self.cleanup_policy}
        if self.retention_ms is not None:
            config[RETENTION] = str(self.retention_ms)
        return config


def ensure_topic(topics: Topics, wanted: TopicRequest) -> None:
    """Create the topic, or check the one there is. Raises ServerError, as ksqlDB does, if it does not fit."""
    partitions = topics.partitions(wanted.name)
    if partitions is None:
        topics.create(wanted.name, wanted.partitions, wanted.replicas, wanted.config())
        return
    replicas = topics.replicas(wanted.name)
    retention = topics.config(wanted.name).get(RETENTION) if wanted.retention_ms is not None else None
    fits = partitions == wanted.partitions and replicas >= wanted.replicas
    if fits and (retention is None or retention == str(wanted.retention_ms)):
        return
    raise ServerError(
        f"A Kafka topic with the name '{wanted.name}' already exists, with different partition/replica "
        f"configuration than required. KSQL expects {wanted.partitions} partitions (topic has {partitions}), "
        f"{wanted.replicas} replication factor (topic has {replicas}), "
        f"and {wanted.retention_ms} retention (topic has {retention})."
    )
