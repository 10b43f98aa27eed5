"""Kafka: sends messages idempotently and counts what the brokers acknowledged."""

import threading
import time
from collections import Counter
from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Any, cast

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from producer.errors import RejectedError, TopicMissingError, UnreachableError

CONNECT_SECONDS = 10.0
FLUSH_SECONDS = 0.5  # between two looks at whether the run is stopped
FULL_SECONDS = 0.1  # between two tries while the queue is full
STOP_SECONDS = 30.0  # for the last acknowledgements after a stop
SERVE_EVERY = 500  # messages

SETTINGS: Mapping[str, Any] = MappingProxyType(
    {
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "linger.ms": 20,
        "batch.num.messages": 10_000,
        "message.timeout.ms": 120_000,  # as Java's delivery.timeout.ms: brokers may restart meanwhile
        "partitioner": "murmur2_random",  # as Java's: others that write by user_id meet in the same partition
        "delivery.report.only.error": True,  # a call for each success would cost a fifth of the throughput
        "log_level": 0,  # errors go into messages of ours
    }
)


class Publisher:
    """Sends to one cluster, and counts.

    What was sent and did not fail is acknowledged once `finish` has returned, because librdkafka reports every failure.
    """

    def __init__(self, config: Mapping[str, Any], stop: threading.Event) -> None:
        self._stop = stop
        self._servers = config["bootstrap.servers"]
        self._last_error = ""
        self._all_down = False
        try:
            self._producer = Producer({**config, **SETTINGS, "error_cb": self._remember})
        except KafkaException as error:
            raise RejectedError(
                f"the settings for Kafka are not valid: {_reason(error.args[0])}; correct them"
            ) from error
        self.serve = self._producer.poll
        self.sent = self.resent = self.failed = self.failed_resends = 0
        self.failures: Counter[str] = Counter()

    @property
    def acknowledged(self) -> int:
        """The number of messages sent that neither failed nor are pending."""
        return self.sent - self.failed - self.pending

    @property
    def pending(self) -> int:
        """The number of messages that are neither acknowledged nor failed yet."""
        return len(self._producer)

    def require_topics(self, *topics: str) -> None:
        """Make sure that topics exist; asks for all topics, since a broker may create the one that is asked for.

        Raises:
            TopicMissingError: naming the topic.
            UnreachableError: no broker answers.
        """
        known = self._topics()
        for topic in topics:
            if topic not in known:
                raise TopicMissingError(
                    f"there is no topic {topic} at {self._servers}, or we may not see it; run `pipeline deploy`, and "
                    "see acls.yaml where the cluster authorises"
                )

    def _topics(self) -> Container[str]:
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                return cast("Container[str]", self._producer.list_topics(timeout=1).topics)
            except KafkaException as error:
                self._producer.poll(0)
                if self._all_down or time.monotonic() > deadline:
                    raise UnreachableError(
                        f"Kafka does not answer at {self._servers} ({self._last_error or _reason(error.args[0])}); "
                        "start it (`pipeline up`) or correct PIPELINE_KAFKA_BOOTSTRAP_SERVERS"
                    ) from error

    def send(self, topic: str, key: str, value: bytes, *, resend: bool = False) -> bool:
        """Queue a message; waits while the queue is full. Returns False where nothing more can or should be sent."""
        on_delivery = self._on_resend_failed if resend else self._on_failed
        while True:
            try:
                self._producer.produce(topic, value, key, on_delivery=on_delivery)
            except BufferError:
                if self._stop.is_set():
                    return False
                self._producer.poll(FULL_SECONDS)
            except KafkaException as error:  # such as a fatal error of the idempotent producer
                self.refuse(_reason(error.args[0]))
                return False
            else:
                break
        self.sent += 1
        self.resent += resend
        if self.sent % SERVE_EVERY == 0:
            self._producer.poll(0)
        return True

    def refuse(self, reason: str) -> None:
        """Count a message that failed before it was queued."""
        self.sent += 1
        self.failed += 1
        self.failures[reason] += 1

    def finish(self) -> None:
        """Wait until every message is acknowledged or has failed; after a stop the rest is given up in time."""
        give_up: float | None = None
        while self._producer.flush(FLUSH_SECONDS):
            if give_up is None and self._stop.is_set():
                give_up = time.monotonic() + STOP_SECONDS
            if give_up is not None and time.monotonic() > give_up:
                self._producer.purge()

    def reset(self) -> None:
        """Begin to count anew."""
        self.sent = self.resent = self.failed = self.failed_resends = 0
        self.failures.clear()

    def _on_failed(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._count_failure(error)

    def _on_resend_failed(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self.failed_resends += 1
            self._count_failure(error)

    def _count_failure(self, error: KafkaError) -> None:
        self.failed += 1
        self.failures[_reason(error)] += 1

    def _remember(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN:  # noqa: SLF001 - librdkafka's own codes begin with _
            self._all_down = True
        else:
            self._last_error = error.str()


def _reason(error: KafkaError | str) -> str:
    return error if isinstance(error, str) else f"{error.name()}: {error.str()}"


def unix_milliseconds() -> int:
    """Return the time by the clock in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
