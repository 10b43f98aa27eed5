"""Kafka: topics, their settings, offsets and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from confluent_kafka import (
    OFFSET_INVALID,
    ConsumerGroupTopicPartitions,
    IsolationLevel,
    KafkaException,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from pipeline.clients.kafka_errors import KafkaErrors, Translation, first_answer
from pipeline.errors import RejectedError

TIMEOUT_SECONDS = 30.0
_QUIET = {"log_level": 0, "socket.timeout.ms": 10_000}

Offsets = dict[int, int]  # partition → offset


@dataclass(frozen=True, slots=True)
class TopicSettings:
    """What a topic sets itself, and for every setting what holds where it does not."""

    overrides: dict[str, str]
    defaults: dict[str, str]


class Kafka:
    """One cluster. ``config`` holds librdkafka's client settings."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self._told = KafkaErrors(config)
        with self._told.during("sign in", lambda: None):
            self._admin = AdminClient({**config, **_QUIET, "error_cb": self._told.remember})

    def partitions(self) -> dict[str, int]:
        """Return every topic with its number of partitions. Raises UnreachableError."""
        with self._errors("list the topics"):
            metadata = first_answer(self._admin, self._told)
        return {name: len(topic.partitions) for name, topic in metadata.topics.items()}

    def _partitions_of(self, topic: str) -> range:
        count = self.partitions().get(topic)
        if count is None:
            raise RejectedError(f"Kafka has no topic {topic}; `pipeline deploy` creates those of topics.yaml")
        return range(count)

    def create_topic(
        self,
        name: str,
        partitions: int,
        replication_factor: int,
        config: dict[str, str],
        *,
        validate_only: bool = False,
    ) -> None:
        """Create a topic, or only ask whether the cluster would. Raises RejectedError."""
        topic = NewTopic(name, partitions, replication_factor, config=config)
        with self._errors(f"create topic {name}"):
            self._admin.create_topics([topic], request_timeout=TIMEOUT_SECONDS, validate_only=validate_only)[
                name
            ].result()

    def delete_topic(self, name: str) -> None:
        """Delete a topic and its records. Raises RejectedError."""
        with self._errors(f"delete topic {name}"):
            self._admin.delete_topics([name], operation_timeout=TIMEOUT_SECONDS)[name].result()

    def topic_config(self, name: str) -> dict[str, str]:
        """Return all settings of a topic, defaults included."""
        resource = ConfigResource(ResourceType.TOPIC, name)
        with self._errors(f"describe topic {name}"):
            entries = self._admin.describe_configs([resource], request_timeout=TIMEOUT_SECONDS)[resource].result()
        return {key: entry.value for key, entry in entries.items() if entry.value is not None}

    def topic_id(self, name: str) -> str:
        """Return Kafka's own id of a topic, which one that is created again under the same name does not share."""
        with self._errors(f"describe topic {name}"):
            futures = self._admin.describe_topics(TopicCollection([name]), request_timeout=TIMEOUT_SECONDS)
            return str(futures[name].result().topic_id)

    def topic_settings(self, names: Sequence[str]) -> dict[str, TopicSettings]:
        """Return what each of some topics overrides, and what would hold without, in one request."""
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        with self._errors("describe the topics"):
            futures = self._admin.describe_configs(resources, request_timeout=TIMEOUT_SECONDS) if resources else {}
            return {resource.name: _topic_settings(future.result()) for resource, future in futures.items()}

    def extents(self, partitions: Mapping[str, int]) -> dict[str, dict[int, tuple[int, int]]]:
        """Return start and end offset of every partition; ``partitions`` is how many there are, by topic."""
        wanted = [TopicPartition(topic, number) for topic, count in partitions.items() for number in range(count)]
        if not wanted:
            return {}
        with self._errors("read the offsets of the topics"):
            starts, ends = (
                self._admin.list_offsets(
                    dict.fromkeys(wanted, spec),
                    isolation_level=IsolationLevel.READ_COMMITTED,
                    request_timeout=TIMEOUT_SECONDS,
                )
                for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
            )
            offsets = [{each: future.result() for each, future in answer.items()} for answer in (starts, ends)]
        found: dict[str, dict[int, tuple[int, int]]] = {topic: {} for topic in partitions}
        for each in wanted:
            start, end = (_offset(answer[each]) for answer in offsets)
            found[each.topic][each.partition] = (start, end)
        return found

    def alter_topic_config(self, name: str, config: Mapping[str, str | None], *, validate_only: bool = False) -> None:
        """Set some settings of a topic, None for the cluster's default; or only ask whether the cluster would."""
        entries = [
            ConfigEntry(
                key,
                value or "",
                incremental_operation=AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET,
            )
            for key, value in config.items()
        ]
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=entries)
        with self._errors(f"change topic {name}"):
            self._admin.incremental_alter_configs(
                [resource], request_timeout=TIMEOUT_SECONDS, validate_only=validate_only
            )[resource].result()

    def ends(self, topic: str) -> Offsets:
        """Return each partition's end: the offset after the last committed record."""
        return self._offsets(topic, OffsetSpec.latest())

    def starts(self, topic: str) -> Offsets:
        """Return each partition's first offset that is still there."""
        return self._offsets(topic, OffsetSpec.earliest())

    def offsets_at(self, topic: str, moment: datetime) -> Offsets:
        """Return each partition's first offset whose record is of that moment or later; its end where none is."""
        found = self._offsets(topic, OffsetSpec.for_timestamp(int(moment.timestamp() * 1000)))
        ends = self.ends(topic)
        return {partition: ends[partition] if offset < 0 else offset for partition, offset in found.items()}

    def _offsets(self, topic: str, spec: OffsetSpec) -> Offsets:
        wanted = {TopicPartition(topic, partition): spec for partition in self._partitions_of(topic)}
        with self._errors(f"read the offsets of topic {topic}"):
            futures = self._admin.list_offsets(
                wanted, isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=TIMEOUT_SECONDS
            )
            results: dict[int, Any] = {position.partition: future.result() for position, future in futures.items()}
            return {partition: result.offset for partition, result in results.items()}

    def committed(self, group: str, topic: str) -> Offsets:
        """Return the positions of a consumer group in a topic; 0 where it has committed none."""
        wanted = [TopicPartition(topic, partition) for partition in self._partitions_of(topic)]
        request = ConsumerGroupTopicPartitions(group, wanted)
        with self._errors(f"read the position of group {group}"):
            answer = self._admin.list_consumer_group_offsets([request], request_timeout=TIMEOUT_SECONDS)
            positions = answer[group].result().topic_partitions or []
        return {p.partition: 0 if p.offset == OFFSET_INVALID else p.offset for p in positions}

    def group_topics(self, group: str) -> set[str]:
        """Return the topics in which a consumer group has committed a position."""
        with self._errors(f"read the positions of group {group}"):
            request = ConsumerGroupTopicPartitions(group)
            answer = self._admin.list_consumer_group_offsets([request], request_timeout=TIMEOUT_SECONDS)
            return {position.topic for position in answer[group].result().topic_partitions or []}

    def groups(self) -> set[str]:
        """Return the names of all consumer groups. Each broker is asked for its own: where one fails, this does."""
        with self._errors("list the consumer groups"):
            answer: Any = self._admin.list_consumer_groups(request_timeout=TIMEOUT_SECONDS).result()
            for error in answer.errors:
                raise KafkaException(error)
        return {group.group_id for group in answer.valid}

    def _errors(self, action: str) -> Translation:
        return self._told.during(action, lambda: self._admin.poll(0))


def _topic_settings(entries: Mapping[str, Any]) -> TopicSettings:
    own = ConfigSource.DYNAMIC_TOPIC_CONFIG.value
    overrides = {
        key: str(entry.value) for key, entry in entries.items() if entry.source == own and entry.value is not None
    }
    defaults: dict[str, str] = {}
    for key, entry in entries.items():
        fallback = [synonym for synonym in entry.synonyms.values() if synonym.source != own]
        value = entry.value if entry.source != own else fallback[0].value if fallback else None
        if value is not None:
            defaults[key] = str(value)
    return TopicSettings(overrides, defaults)


def _offset(result: Any) -> int:
    return int(result.offset)
