"""Writing letters to a retry topic, with what they are known by in their headers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from pipeline.clients.letter_headers import replay_headers
from pipeline.dead_letters.letter import Letter

_FLUSH_SECONDS = 1.0
_SETTINGS = {
    "enable.idempotence": True,
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": 20,
    "message.timeout.ms": 60_000,
    "message.max.bytes": 67_108_864,  # as topics.yaml allows for retry topics
    "partitioner": "murmur2_random",
    "log_level": 0,
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter with the value to send."""

    letter: Letter
    value: bytes | None
    row_key: str | None

    @property
    def attempt(self) -> int:
        """The number of this replay, among those that failed again."""
        return self.letter.retry_count + 1

    @property
    def headers(self) -> list[tuple[str, bytes | None]]:
        """The headers of the original record, and where it stood."""
        return [*self.letter.headers, *replay_headers(self.letter.origin, self.attempt)]


class RetryProducer:
    """Sends to the retry topics of one cluster."""

    def __init__(self, kafka_config: Mapping[str, Any]) -> None:
        self._producer = Producer({**kafka_config, **_SETTINGS})

    def send(
        self, topic: str, letters: Sequence[Outgoing], wait: Callable[[int, Callable[[], object]], None]
    ) -> dict[int, str]:
        """Send the letters and return, by id, why some were not acknowledged; ``wait(index, serve)`` sets the pace."""
        failures: dict[int, str] = {}
        for index, outgoing in enumerate(letters):
            wait(index, lambda: self._producer.poll(0))
            self._queue(topic, outgoing, failures)
        while self._producer.flush(_FLUSH_SECONDS):
            pass  # every message is acknowledged or fails within message.timeout.ms
        return failures

    def _queue(self, topic: str, outgoing: Outgoing, failures: dict[int, str]) -> None:
        def delivered(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                failures[outgoing.letter.id] = f"Kafka did not take it: {error.str()}"

        letter = outgoing.letter
        headers: Any = outgoing.headers  # a header may be null, whatever the type stubs say
        while True:
            try:
                self._producer.produce(topic, outgoing.value, letter.key, headers=headers, on_delivery=delivered)
            except BufferError:
                self._producer.poll(_FLUSH_SECONDS)
            except KafkaException as error:
                failures[letter.id] = f"Kafka did not take it: {error}"
                return
            else:
                return
