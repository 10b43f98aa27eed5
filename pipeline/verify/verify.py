"""Exact accounting: the topic against the table, and the table against the statistics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.lag import lag_records, sink_group
from pipeline.clients.postgres import connect
from pipeline.clients.registry import SchemaRegistry
from pipeline.settings import Settings
from pipeline.verify.database import (
    CONNECTOR,
    StatsDifference,
    compare_stats,
    count_users,
    read_dead_letters,
    read_event_ids,
)
from pipeline.verify.events import EventReader
from pipeline.verify.topic import TOPIC, Position, TopicContent, read_events_at, read_on, read_topic
from pipeline.verify.verification import LostEvent, Verification

# Nothing moves while a server starts again: only after so long without a change is a difference final.
_SETTLED_SECONDS = 20.0
_SETTLED_BEHIND_SECONDS = 60.0
_STATS = "user-stats"  # topic and connector
_AHEAD = timedelta(hours=1)


def verify(
    settings: Settings, *, timeout_seconds: float, progress: Callable[[str], None] | None = None
) -> Verification:
    """Account for every event in the topic.

    Waits until all of them are through (also those that come meanwhile), at most ``timeout_seconds``; returns earlier
    where nothing moves any more and the accounts still differ. Raises UnreachableError or RejectedError of the server
    concerned.
    """
    kafka = Kafka(settings.kafka_config())
    reader = EventReader(SchemaRegistry(settings.schema_registry).schema_by_id)
    content = read_topic(kafka, reader)
    with connect(settings.postgres_dsn, autocommit=True) as connection:
        look = _Look(kafka, reader, content, connection, progress or (lambda _: None))
        attempts = Retrying(
            stop=stop_after_delay(timeout_seconds),
            wait=wait_exponential(multiplier=0.2, max=2.0),
            retry=retry_if_result(lambda verification: not (verification.ok or look.settled)),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        outcome: Verification = attempts(look)
        return outcome


@dataclass
class _Look:
    """One look at all accounts, and whether the last looks were the same."""

    kafka: Kafka
    reader: EventReader
    content: TopicContent
    connection: psycopg.Connection
    progress: Callable[[str], None]
    previous: Verification | None = None
    since: float = 0.0

    @property
    def settled(self) -> bool:
        """Whether nothing is in flight and the accounts have not moved for a while."""
        if self.previous is None or self.previous.in_flight:
            return False
        seconds = _SETTLED_BEHIND_SECONDS if self._stats_are_behind() else _SETTLED_SECONDS
        return time.monotonic() - self.since > seconds

    def _stats_are_behind(self) -> bool:
        """Whether statistics wait in their topic: the sink is down, or starts."""
        if _STATS not in self.kafka.partitions():
            return False
        return lag_records(self.kafka, sink_group(_STATS), _STATS, self.kafka.ends(_STATS)) > 0

    def __call__(self) -> Verification:
        read_on(self.kafka, self.reader, self.content)
        verification = _account(self.kafka, self.reader, self.content, self.connection)
        if verification != self.previous:
            self.previous, self.since = verification, time.monotonic()
        self.progress(verification.waiting_for)
        return verification


def _account(kafka: Kafka, reader: EventReader, content: TopicContent, connection: psycopg.Connection) -> Verification:
    committed = kafka.committed(sink_group(CONNECTOR), TOPIC)
    dead_letters = read_dead_letters(connection)
    rows = read_event_ids(connection)
    absent = {
        event_id: position
        for event_id, position in content.events.items()
        if event_id not in rows and position not in dead_letters
    }
    lost = [LostEvent(event_id, position) for event_id, position in absent.items() if _passed(position, committed)]
    unreadable = {position for position in content.unreadable if position not in dead_letters}
    lost_unreadable = sorted(position for position in unreadable if _passed(position, committed))
    in_flight = len(absent) - len(lost) + len(unreadable) - len(lost_unreadable)
    unexpected = sorted(rows - content.events.keys()) if content.complete else []
    mismatched = compare_stats(connection, _counted_though_refused(kafka, reader, content, dead_letters))
    return Verification(
        records=content.records,
        distinct_events=len(content.events),
        duplicates=content.records - len(content.events) - len(content.unreadable),
        unreadable=len(content.unreadable),
        rows=len(rows),
        dead_letters=len(dead_letters),
        in_flight=in_flight,
        users=count_users(connection),
        missing=sorted(lost, key=lambda event: event.position),
        missing_unreadable=lost_unreadable,
        unexpected=unexpected,
        users_mismatched=mismatched,
        waiting_for=_waiting_for(kafka, content.ends, in_flight, mismatched),
    )


def _passed(position: Position, committed: Offsets) -> bool:
    return position.offset < committed.get(position.partition, 0)


def _counted_though_refused(
    kafka: Kafka, reader: EventReader, content: TopicContent, dead_letters: Mapping[Position, datetime]
) -> list[Mapping[str, Any]]:
    """Return the readable events among the dead letters that ksqlDB counts: all but those ahead of the clock."""
    readable = {position for position in dead_letters if position not in content.unreadable}
    return [
        event
        for position, event in read_events_at(kafka, reader, readable)
        if event["occurred_at"] < dead_letters[position] + _AHEAD and "\x00" not in event["user_id"]
    ]


def _waiting_for(kafka: Kafka, ends: Offsets, in_flight: int, mismatched: list[StatsDifference]) -> str:
    if in_flight:
        behind = lag_records(kafka, sink_group(CONNECTOR), TOPIC, ends)
        return f"{in_flight:,} events are on their way to user_events (the sink is {behind:,} records behind)"
    if mismatched:
        return f"{len(mismatched):,} users in user_stats are not up to date yet"
    return ""
