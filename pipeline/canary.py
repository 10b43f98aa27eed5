"""The canary: one marked event through the whole pipeline, timed, and gone again."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, LiteralString
from uuid import uuid4

import psycopg
from confluent_kafka import Producer
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from pipeline.clients.postgres import connect
from pipeline.clients.registry import SchemaRegistry
from pipeline.erase.erase import erase
from pipeline.errors import PipelineError, RejectedError
from pipeline.settings import Settings
from pipeline.verify.topics import EVENTS
from producer.avro import encoder_for

USER = "pipeline-canary"
_FLUSH_SECONDS = 30.0
_POLL_SECONDS = 0.01
_SIGNS: dict[str, LiteralString] = {
    "row": "SELECT true FROM user_events WHERE event_id = %(event_id)s",
    "stats": (
        "SELECT true FROM user_stats WHERE user_id = %(user_id)s "
        "AND last_active >= timestamptz 'epoch' + %(occurred_at)s * interval '1 ms'"
    ),
}


@dataclass(frozen=True, slots=True)
class Canary:
    """How long the event took from before it was sent, in seconds; None where it did not arrive in time.

    ``not_erased`` says why it is still there, None if it is not.
    """

    event_id: str
    row_seconds: float | None
    stats_seconds: float | None
    not_erased: str | None = None

    @property
    def arrived(self) -> bool:
        """Whether it arrived in both tables."""
        return self.row_seconds is not None and self.stats_seconds is not None

    @property
    def ok(self) -> bool:
        """Whether it arrived in both tables, and is gone again."""
        return self.arrived and self.not_erased is None


def send_canary(settings: Settings, *, sent_by: str, timeout_seconds: float, progress: Callable[[str], None]) -> Canary:
    """Send one event of the user `pipeline-canary`, time it, and erase that user.

    One that does not arrive within ``timeout_seconds`` stays, as any event that is on its way, and so does one that
    cannot be erased in that time; the next canary that arrives erases it too. Raises RejectedError or UnreachableError
    of the server concerned while it is sent and awaited.
    """
    registry = SchemaRegistry(settings.schema_registry)
    event: dict[str, Any] = {
        "event_id": str(uuid4()),
        "user_id": USER,
        "session_id": USER,
        "event_type": "login",
        "device": "web",
        "occurred_at": time.time_ns() // 1_000_000,
        "metadata": '{"canary": true}',
    }
    value = _encode(registry, event)
    progress("waiting for the canary …")
    begun = time.monotonic()
    _produce(settings.kafka_config(), value)
    with connect(settings.postgres_dsn, autocommit=True) as connection:
        seconds = _await_signs(connection, event, begun, timeout_seconds)
    canary = Canary(event["event_id"], seconds.get("row"), seconds.get("stats"))
    if not canary.arrived:
        return replace(canary, not_erased="it is on its way")
    try:
        erase(settings, USER, erased_by=sent_by, timeout_seconds=timeout_seconds, progress=progress)
    except PipelineError as error:
        return replace(canary, not_erased=str(error))
    return canary


def _encode(registry: SchemaRegistry, event: dict[str, Any]) -> bytes:
    schema_id = registry.latest_id(f"{EVENTS}-value")
    if schema_id is None:
        message = f"the registry has no subject {EVENTS}-value: run `pipeline deploy`"
        raise RejectedError(message)
    return encoder_for(registry.schema_by_id(schema_id), schema_id).encode(event)


def _produce(kafka_config: dict[str, Any], value: bytes) -> None:
    refused: list[str] = []
    producer = Producer({**kafka_config, "acks": "all", "partitioner": "murmur2_random", "log_level": 0})
    producer.produce(
        EVENTS, value, USER, on_delivery=lambda error, _: refused.append(error.str()) if error is not None else None
    )
    if producer.flush(_FLUSH_SECONDS) or refused:
        message = f"Kafka did not take the canary: {refused[0] if refused else 'no answer'}"
        raise RejectedError(message)


def _await_signs(
    connection: psycopg.Connection, event: dict[str, Any], begun: float, timeout_seconds: float
) -> dict[str, float]:
    """Return how many seconds after ``begun`` each sign of the event was there; one that never was is left out."""
    seconds: dict[str, float] = {}

    def all_there() -> bool:
        for stage in _SIGNS.keys() - seconds.keys():
            if connection.execute(_SIGNS[stage], event).fetchone():
                seconds[stage] = round(time.monotonic() - begun, 3)
        return seconds.keys() == _SIGNS.keys()

    attempts = Retrying(
        stop=stop_after_delay(max(0.0, begun + timeout_seconds - time.monotonic())),
        wait=wait_fixed(_POLL_SECONDS),
        retry=retry_if_result(lambda there: not there),
    )
    with suppress(RetryError):
        attempts(all_there)
    return seconds
