"""What an erasure cannot reach: segments of the log that Kafka keeps, and the state of ksqlDB."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.clients.kafka import Kafka

_FOREVER_MS = 2**62  # beyond this, Kafka means "no limit"
_INTERNAL = "_confluent-ksql-"
_OURS = ("user-events", "users", "user-stats", "first-events")
_OUR_PREFIXES = ("dlq.", "user-events.retry.", "users.retry.", "user-stats.retry.")


@dataclass(frozen=True, slots=True)
class Remainder:
    """Where something of the person may still be, until when at the latest (None: nobody can say), and why."""

    where: str
    until: datetime | None
    why: str


def find_remainders(kafka: Kafka, now: datetime | None = None) -> list[Remainder]:
    """Return what may still hold records of a person who was erased now."""
    moment = now or datetime.now(UTC)
    topics = sorted(kafka.partitions())
    ours = [name for name in topics if name in _OURS or name.startswith(_OUR_PREFIXES)]
    found = [remainder_of(name, kafka.topic_config(name), moment) for name in ours]
    return [*found, *_ksqldb([name for name in topics if name.startswith(_INTERNAL)])]


def remainder_of(name: str, config: dict[str, str], now: datetime) -> Remainder:
    """Return what a topic may hold: a segment is closed after segment.ms, then kept for retention.ms or compacted."""
    segment_ms = int(config["segment.ms"])
    limits = []
    if "delete" in config["cleanup.policy"]:
        limits.append(int(config["retention.ms"]))
    if "compact" in config["cleanup.policy"] and name in {"users", "user-stats"}:  # the keys that have a tombstone
        limits.append(int(config["max.compaction.lag.ms"]))
    bounded = [limit for limit in limits if 0 <= limit < _FOREVER_MS]
    if bounded:
        until = now + timedelta(milliseconds=min(bounded) + segment_ms)
        return Remainder(f"topic {name}", until, "records already written stay until their segment is deleted")
    why = "until the log cleaner has met the tombstone; max.compaction.lag.ms sets no limit"
    if "compact" not in config["cleanup.policy"]:
        why = "retention.ms sets no limit"
    return Remainder(f"topic {name}", None, why)


def _ksqldb(internal: list[str]) -> Iterator[Remainder]:
    """No statement of ksqlDB removes one key from an aggregation."""
    changelogs = [name for name in internal if name.endswith("-changelog")]
    if changelogs:
        why = (
            "no statement removes one key: the id and its counters stay in the state of USER_STATS, which pull queries "
            f"show, and in {len(changelogs)} changelog topics, until DROP TABLE and `pipeline deploy` compute it anew"
        )
        yield Remainder("ksqlDB", None, why)
    for name in internal:
        if name.endswith("processing_log"):
            yield Remainder(f"topic {name}", None, "holds what ksqlDB could not read, if it was theirs")
