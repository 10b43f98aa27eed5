"""The cluster's topics: what exists, with which settings; creating and deleting them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import ConfigResource, NewTopic, OffsetSpec

from embedded.ksql.errors import ServerError, StatementError, UnavailableError
from embedded.ksql.runtime.clients import TRANSIENT, KafkaClients, cause_of

TIMEOUT_SECONDS = 30.0
# Longer than librdkafka itself waits, whose error says what is wrong.
RESULT_SECONDS = TIMEOUT_SECONDS + 5.0
POLL_SECONDS = 0.05
METADATA_SECONDS = 0.5
REACHABLE_SECONDS = 2.0
_AWAY = TRANSIENT | {KafkaError._TIMED_OUT, KafkaError.REQUEST_TIMED_OUT, KafkaError.NOT_CONTROLLER}  # noqa: SLF001


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic and how many replicas each partition has, in partition order."""

    name: str
    replicas: tuple[int, ...]

    @property
    def partitions(self) -> int:
        """How many partitions it has."""
        return len(self.replicas)


class Topics:
    """The admin side of the cluster. Topic metadata is read anew when older than half a second."""

    def __init__(self, clients: KafkaClients) -> None:
        self._clients = clients
        self._admin: Any = clients.admin()  # the stubs lag behind in describe_cluster and list_offsets
        self._known: dict[str, TopicDescription] = {}
        self._read_at = 0.0

    def all(self, *, fresh: bool = False) -> dict[str, TopicDescription]:
        """Return every topic by name."""
        now = time.monotonic()
        if fresh or not self._known or now - self._read_at > METADATA_SECONDS:
            with _translated():
                metadata = self._admin.list_topics(timeout=TIMEOUT_SECONDS)
            self._known = {
                name: TopicDescription(name, tuple(len(p.replicas) for _, p in sorted(topic.partitions.items())))
                for name, topic in metadata.topics.items()
                if topic.error is None
            }
            self._read_at = now
        return self._known

    def partitions(self, topic: str) -> int | None:
        """Return how many partitions the topic has, or None if there is no such topic."""
        known = self.all().get(topic) or self.all(fresh=True).get(topic)
        return None if known is None else known.partitions

    def replicas(self, topic: str) -> int:
        """Return the topic's replication factor; 1 if it does not exist."""
        known = self.all().get(topic)
        return known.replicas[0] if known is not None and known.replicas else 1

    def is_reachable(self) -> bool:
        """Whether a broker answers within two seconds. Raises ServerError where it refuses us, or we it."""
        try:
            self._admin.list_topics(timeout=REACHABLE_SECONDS)
        except KafkaException:
            self._admin.poll(0)  # which calls the error callback
            if self._clients.refusal is not None:
                raise ServerError(
                    f"Kafka cannot be used: {self._clients.refusal}; see PIPELINE_KAFKA_SASL_* and PIPELINE_KAFKA_SSL_*"
                ) from None
            return False
        return True

    def cluster_id(self) -> str:
        """Return the Kafka cluster's id."""
        future = self._admin.describe_cluster(request_timeout=TIMEOUT_SECONDS)
        with _translated():
            return str(_result_of(future).cluster_id)

    def config(self, topic: str) -> dict[str, str]:
        """Return the topic's settings."""
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        future = self._admin.describe_configs([resource], request_timeout=TIMEOUT_SECONDS)[resource]
        with _translated():
            return {name: entry.value for name, entry in _result_of(future).items()}

    def create(self, topic: str, partitions: int, replicas: int, config: Mapping[str, str]) -> None:
        """Create a topic and wait until brokers know it. An existing one is left as it is."""
        new = NewTopic(topic, num_partitions=partitions, replication_factor=replicas, config=dict(config))
        try:
            _result_of(self._admin.create_topics([new], request_timeout=TIMEOUT_SECONDS)[topic])
        except KafkaException as error:
            cause = cause_of(error)
            if cause.code() in _AWAY:
                raise UnavailableError(f"Failed to create topic {topic}: {cause.str()}") from error
            if cause.code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise StatementError(f"Failed to create topic {topic}: {cause.str()}") from error
        self._await(topic, exists=True)

    def delete(self, names: Sequence[str]) -> None:
        """Delete topics; those that do not exist are passed over."""
        present = [name for name in names if name in self.all(fresh=True)]
        if not present:
            return
        for name, future in self._admin.delete_topics(present, request_timeout=TIMEOUT_SECONDS).items():
            try:
                _result_of(future)
            except KafkaException as error:
                if cause_of(error).code() != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise ServerError(f"Could not delete topic {name}: {cause_of(error).str()}") from error
        for name in present:
            self._await(name, exists=False)

    def delete_groups(self, groups: Sequence[str]) -> None:
        """Forget the committed offsets of consumer groups, where there are any."""
        for future in self._admin.delete_consumer_groups(list(groups), request_timeout=TIMEOUT_SECONDS).values():
            try:
                _result_of(future)
            except KafkaException:
                continue  # a group that never committed does not exist

    def offsets(self, topic: str) -> list[tuple[int, int]]:
        """Return (first, next) offset of each partition."""
        count = self.partitions(topic) or 0
        first = self._list_offsets(topic, count, OffsetSpec.earliest())
        following = self._list_offsets(topic, count, OffsetSpec.latest())
        return list(zip(first, following, strict=True))

    def _list_offsets(self, topic: str, count: int, spec: OffsetSpec) -> list[int]:
        wanted = {TopicPartition(topic, partition): spec for partition in range(count)}
        if not wanted:
            return []
        futures = self._admin.list_offsets(wanted, request_timeout=TIMEOUT_SECONDS)
        with _translated():
            found = {tp.partition: _result_of(future).offset for tp, future in futures.items()}
        return [found[partition] for partition in range(count)]

    def _await(self, topic: str, *, exists: bool) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while (topic in self.all(fresh=True)) is not exists:
            if time.monotonic() > deadline:
                state = "appear" if exists else "disappear"
                raise ServerError(f"Topic {topic} did not {state} within {TIMEOUT_SECONDS:.0f} s; look at the broker.")
            time.sleep(POLL_SECONDS)


def _result_of(future: Any) -> Any:
    try:
        return future.result(RESULT_SECONDS)
    except TimeoutError as error:
        raise UnavailableError(f"Kafka did not answer within {RESULT_SECONDS:g} s; is the broker running?") from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except KafkaException as error:
        raise UnavailableError(f"Kafka does not answer: {cause_of(error).str()}") from error
