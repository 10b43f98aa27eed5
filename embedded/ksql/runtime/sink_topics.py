"""Topics that statements create: new ones by ksqlDB's rules, existing ones only if they fit."""

from __future__ import annotations

from embedded.ksql.errors import ServerError
from embedded.ksql.runtime.topics import Topics
from embedded.ksql.statements.changes import RETENTION, TopicRequest


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
