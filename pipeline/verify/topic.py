"""What the topic of events holds: which events, where, and which records are none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.records import read_records
from pipeline.verify.events import EventReader

TOPIC = "user-events"


class Position(NamedTuple):
    """Where a record is."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@dataclass(slots=True)
class TopicContent:
    """A snapshot of the topic: ``events`` maps each id to the position where it was seen first."""

    starts: Offsets
    ends: Offsets
    records: int = 0
    events: dict[UUID, Position] = field(default_factory=dict)
    unreadable: set[Position] = field(default_factory=set)

    @property
    def complete(self) -> bool:
        """Whether retention has not yet removed anything."""
        return not any(self.starts.values())


def read_topic(kafka: Kafka, reader: EventReader) -> TopicContent:
    """Read all of the topic as it is now."""
    starts = kafka.starts(TOPIC)
    content = TopicContent(starts=starts, ends=starts)
    read_on(kafka, reader, content)
    return content


def read_on(kafka: Kafka, reader: EventReader, content: TopicContent) -> None:
    """Add what has come since the content was read."""
    ends = kafka.ends(TOPIC)
    for message in read_records(kafka.config, TOPIC, content.ends, ends):
        position = Position(message.partition() or 0, message.offset() or 0)
        content.records += 1
        event_id = reader.event_id(message.value())
        if event_id is None:
            content.unreadable.add(position)
        else:
            content.events.setdefault(event_id, position)
    content.ends = ends


def read_events_at(
    kafka: Kafka, reader: EventReader, positions: Iterable[Position]
) -> Iterator[tuple[Position, Mapping[str, Any]]]:
    """Yield the readable events at the given positions of the topic."""
    for position in sorted(positions):
        starts, ends = {position.partition: position.offset}, {position.partition: position.offset + 1}
        for message in read_records(kafka.config, TOPIC, starts, ends):
            event = reader.event(message.value())
            if event is not None:
                yield position, event
