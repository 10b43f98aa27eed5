"""Committed offsets: there, not there, and not to be had."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import OFFSET_INVALID, KafkaError, TopicPartition

from embedded.ksql.errors import UnavailableError
from embedded.ksql.runtime.source_input import committed_offsets


class Consumer:
    """A consumer whose broker answers the same to everything."""

    def __init__(self, offset: int, error: KafkaError | None = None) -> None:
        self._offset, self._error = offset, error

    def committed(self, partitions: list[TopicPartition], _: float) -> list[Any]:
        return [
            SimpleNamespace(topic=one.topic, partition=one.partition, offset=self._offset, error=self._error)
            for one in partitions
        ]


def offsets(consumer: Any) -> dict[tuple[str, int], int]:
    return committed_offsets(consumer, [("clicks", 3)])


def test_a_partition_that_was_never_committed_has_no_offset() -> None:
    assert offsets(Consumer(7)) == {("clicks", 3): 7}
    assert offsets(Consumer(OFFSET_INVALID)) == {}


def test_an_error_is_not_taken_for_a_partition_that_was_never_committed() -> None:
    refused = KafkaError(KafkaError.UNSTABLE_OFFSET_COMMIT)
    with pytest.raises(UnavailableError, match="committed offset of clicks, partition 3"):
        offsets(Consumer(OFFSET_INVALID, refused))
