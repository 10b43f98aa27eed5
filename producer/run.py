"""One run of the producer: from a request to a report."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from random import Random, SystemRandom

from producer.avro import Record, encoder_for, load_schema, record_of_user
from producer.errors import RejectedError
from producer.generators import generate
from producer.generators.population import Population
from producer.generators.timeline import Timeline, backdated, live, reproducible
from producer.metrics import serving_metrics
from producer.pace import Pace
from producer.publisher import Publisher, unix_milliseconds
from producer.registry import registered_id
from producer.request import ProduceRequest
from producer.resends import with_resends

__all__ = ["ProduceReport", "ProduceRequest", "produce"]

EVENTS_SCHEMA = "user-events-value"
USERS_SCHEMA = "users-value"
AHEAD_LIMIT_MS = 3_600_000  # events further ahead of the clock are refused everywhere alike
AHEAD = "more than an hour ahead of the clock: not sent"
PROGRESS_SECONDS = 0.2

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ProduceReport:
    """What became of the event records: `acknowledged` includes re-sends, `duplicates` are the acknowledged re-sends.

    `failures` says how many failed for which reason; profiles are not counted.
    """

    acknowledged: int
    failed: int
    duplicates: int
    seconds: float
    failures: dict[str, int] = field(default_factory=dict)


def produce(request: ProduceRequest, *, progress: Progress | None = None, stop: threading.Event) -> ProduceReport:
    """Send profiles and events until all are sent or the run is stopped, and report what the brokers acknowledged.

    `progress` is told every now and then how many distinct events are acknowledged.

    Raises:
        ProducerError: before the first event, where it could not be sent.
    """
    request.check(datetime.now(UTC))
    run = _Run(request, stop)
    if request.with_users:
        run.send_profiles()
    with run.serving_metrics():
        return run.send_events(progress or (lambda _: None))


class _Run:
    def __init__(self, request: ProduceRequest, stop: threading.Event) -> None:
        self._request = request
        self._stop = stop
        self._population = Population(request.users, request.seed or 0, request.user)
        self._events_encoder = self._encoder(request.topic, EVENTS_SCHEMA)
        self._publisher = Publisher({**request.kafka_config, "bootstrap.servers": request.bootstrap_servers}, stop)
        self._publisher.require_topics(request.topic, *([request.users_topic] if request.with_users else []))

    def _encoder(self, topic: str, declared: str) -> Callable[[Record], bytes]:
        schema = load_schema(declared)
        schema_id = registered_id(self._request.schema_registry, f"{topic}-value", schema)
        return encoder_for(schema, schema_id).encode

    def send_profiles(self) -> None:
        """Send the profile of every user, and wait for the acknowledgements."""
        topic, publisher = self._request.users_topic, self._publisher
        encode = self._encoder(topic, USERS_SCHEMA)
        for user in self._population.profiles():
            if self._stop.is_set() or not publisher.send(topic, user.user_id, encode(record_of_user(user))):
                break
        publisher.finish()
        if publisher.failed:
            reason = next(iter(publisher.failures))
            raise RejectedError(f"{publisher.failed} profiles were not written to topic {topic}: {reason}")
        publisher.reset()

    def serving_metrics(self) -> AbstractContextManager[None]:
        """Tell Prometheus about the events meanwhile, where that was asked for."""
        return serving_metrics(self._publisher, self._request.metrics_address)

    def send_events(self, progress: Progress) -> ProduceReport:
        """Send the events at the pace that was asked for."""
        publisher, stop, topic = self._publisher, self._stop, self._request.topic
        resends = Random(f"resends:{self._request.seed}")
        stream = with_resends(self._messages(), self._request.duplicates, resends)
        start = time.monotonic()
        pace = Pace(self._request.rate, stop) if self._request.rate else None
        next_progress = start
        while not stop.is_set():
            if pace:
                pace.wait(publisher.sent, lambda: publisher.serve(0))
                if stop.is_set():
                    break
            item = next(stream, None)
            if item is None:
                break
            (key, value), resend = item
            if not publisher.send(topic, key, value, resend=resend):
                break
            if (now := time.monotonic()) > next_progress:
                next_progress = now + PROGRESS_SECONDS
                progress(max(0, publisher.acknowledged - publisher.resent))
        publisher.finish()
        report = self._report(time.monotonic() - start)
        progress(report.acknowledged - report.duplicates)
        return report

    def _messages(self) -> Iterator[tuple[str, bytes]]:
        """Yield key and value of each event."""
        encode = self._events_encoder
        latest_ms = 0
        for event in islice(self._events(), self._request.events):
            if event["occurred_at"] > latest_ms:
                latest_ms = unix_milliseconds() + AHEAD_LIMIT_MS
                if event["occurred_at"] > latest_ms:
                    self._publisher.refuse(AHEAD)
                    return
            yield event["user_id"], encode(event)

    def _events(self) -> Iterator[Record]:
        request = self._request
        seed = request.seed if request.seed is not None else SystemRandom().getrandbits(64)
        return generate(request.mode, seed, self._population, timeline_of(request, datetime.now(UTC)))

    def _report(self, seconds: float) -> ProduceReport:
        publisher = self._publisher
        return ProduceReport(
            acknowledged=publisher.acknowledged,
            failed=publisher.failed,
            duplicates=publisher.resent - publisher.failed_resends,
            seconds=seconds,
            failures=dict(publisher.failures),
        )


def timeline_of(request: ProduceRequest, now: datetime) -> Timeline:
    """Return when the events of a run happen that starts now."""
    if request.seed is not None:
        return reproducible(now, request.since, request.events)
    if request.since is not None and request.events is not None:
        return backdated(now, request.since, request.events)
    return live(now, request.rate, unix_milliseconds)
