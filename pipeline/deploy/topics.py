"""Topics: created where missing, their settings brought to what is declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.clients.kafka import Kafka
from pipeline.declared.topics import Topic
from pipeline.deploy.change import Change
from pipeline.errors import RejectedError


def deploy_topics(kafka: Kafka, topics: Sequence[Topic], replication_factor: int) -> Iterator[Change]:
    """Yield a change for each topic. Raises RejectedError where partitions differ: records would change places."""
    existing = kafka.partitions()
    for topic in topics:
        if topic.name not in existing:
            kafka.create_topic(topic.name, topic.partitions, replication_factor, topic.config)
            yield Change("topic", topic.name, "created", f"{topic.partitions} partitions")
        elif existing[topic.name] != topic.partitions:
            message = (
                f"topic {topic.name} has {existing[topic.name]} partitions, topics.yaml says {topic.partitions}: with "
                "another number, keys would move to other partitions. Correct topics.yaml, or move to a new topic."
            )
            raise RejectedError(message)
        else:
            yield _configure(kafka, topic)


def _configure(kafka: Kafka, topic: Topic) -> Change:
    actual = kafka.topic_config(topic.name)
    differing = {key: value for key, value in topic.config.items() if actual.get(key) != value}
    if not differing:
        return Change("topic", topic.name, "unchanged")
    kafka.alter_topic_config(topic.name, differing)
    detail = ", ".join(f"{key}: {actual.get(key)} → {value}" for key, value in differing.items())
    return Change("topic", topic.name, "updated", detail)
