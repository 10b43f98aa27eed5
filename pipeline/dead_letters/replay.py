"""Replay: letters go to the retry topic of the sink that failed, each in one attempt, whatever is interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import psycopg

from pipeline.clients.connect import Connect
from pipeline.clients.kafka import Kafka
from pipeline.clients.postgres import connect
from pipeline.clients.registry import SchemaRegistry
from pipeline.dead_letters.actions import begin_replay, end_replay, record_action
from pipeline.dead_letters.filters import Filters
from pipeline.dead_letters.letter import Letter, Status
from pipeline.dead_letters.lock import replay_lock
from pipeline.dead_letters.marking import mark, mark_retrying, outcomes, put_back
from pipeline.dead_letters.preparing import Preparation, Prepared, Route
from pipeline.dead_letters.repair import Repair
from pipeline.dead_letters.sending import Outgoing, RetryProducer
from pipeline.dead_letters.settle import settle
from pipeline.dead_letters.table import read_letters
from pipeline.errors import NotReadyError
from pipeline.settings import Settings
from pipeline.waiting import wait_until
from producer.pace import Pace

BATCH = 5_000
PREVIEW = 10


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """Which letters, how repaired, at most how many and how fast (letters per second).

    ``arguments`` is what the person asked for, for the record of actions.
    """

    filters: Filters
    repair: Repair
    arguments: Mapping[str, Any]
    limit: int | None = None
    rate: float | None = None
    dry_run: bool = False


@dataclass(slots=True)
class ReplayReport:
    """What a replay did. ``kept`` and ``superseded`` say why, by id; ``outcome`` counts the sent letters by status."""

    selected: int = 0
    sent: int = 0
    recovered: int = 0
    kept: dict[int, str] = field(default_factory=dict)
    superseded: dict[int, str] = field(default_factory=dict)
    outcome: dict[Status, int] = field(default_factory=dict)
    preview: list[Outgoing] = field(default_factory=list)
    interrupted: bool = False

    @property
    def failed_again(self) -> int:
        """How many of the letters that were sent are dead letters again."""
        return sum(self.outcome.get(status, 0) for status in ("pending", "dead", "discarded"))

    def failed(self, *, waited: bool) -> bool:
        """Whether a letter stayed as it was, failed again, or is on its way although its outcome was waited for.

        One that was interrupted has not come to all letters.
        """
        on_their_way = self.outcome.get("retrying", 0) if waited else 0
        return bool(self.kept or self.failed_again or on_their_way or self.interrupted)


def replay(
    settings: Settings,
    request: ReplayRequest,
    *,
    timeout_seconds: float,
    progress: Callable[[str], None],
    stop: threading.Event,
) -> ReplayReport:
    """Replay letters and wait, at most ``timeout_seconds``, until the outcome of each is known.

    ``stop`` ends it after the batch in hand. Raises RejectedError while another replay runs. If this process dies,
    the next replay finds out what was sent.
    """
    kafka = Kafka(settings.kafka_config())
    preparation = Preparation(
        Connect(settings.connect), SchemaRegistry(settings.schema_registry), kafka, request.repair
    )
    with connect(settings.postgres_dsn, autocommit=True) as connection, replay_lock(connection):
        run = _Run(connection, kafka, preparation, request, stop)
        if not request.dry_run:
            run.report.recovered = settle(connection, kafka)
        for batch in _batches(read_letters(connection, request.filters), request):
            run.take(batch)
            progress(f"{run.report.sent:,} letters sent …")
            if stop.is_set():
                run.report.interrupted = True
                break
        if run.actions:
            run.await_outcome(0 if stop.is_set() else timeout_seconds, progress)
        return run.report


def _batches(letters: Iterator[Letter], request: ReplayRequest) -> Iterable[list[Letter]]:
    size = BATCH if request.rate is None else max(1, min(BATCH, int(request.rate)))
    limited = islice(letters, request.limit)
    while batch := list(islice(limited, size)):
        yield batch


class _Run:
    """One replay in progress."""

    def __init__(
        self,
        connection: psycopg.Connection,
        kafka: Kafka,
        preparation: Preparation,
        request: ReplayRequest,
        stop: threading.Event,
    ) -> None:
        self.report = ReplayReport()
        self.actions: list[int] = []
        self._connection = connection
        self._kafka = kafka
        self._preparation = preparation
        self._request = request
        self._stop = stop
        self._producer = RetryProducer(kafka.config)
        self._pace = Pace(request.rate, stop) if request.rate else None
        self._paced = 0

    def take(self, batch: Sequence[Letter]) -> None:
        """Prepare a batch, and send it unless this is a dry run."""
        prepared = self._preparation.prepare(batch)
        self.report.selected += len(batch)
        self.report.kept |= prepared.kept
        self.report.superseded |= prepared.superseded
        if self._request.dry_run:
            outgoing = [each for letters in prepared.outgoing.values() for each in letters]
            self.report.sent += len(outgoing)
            self.report.preview += outgoing[: PREVIEW - len(self.report.preview)]
            return
        self._record_rest(prepared)
        for route, letters in prepared.outgoing.items():
            self._send(route, letters)

    def _record_rest(self, prepared: Prepared) -> None:
        """Record what is not sent, and mark as dead what never can be."""
        unsent = prepared.kept | prepared.superseded
        if unsent:
            with self._connection.transaction():
                action_id = record_action(self._connection, "replay", self._request.arguments, [], unsent)
                mark(
                    self._connection,
                    "dead",
                    prepared.superseded,
                    action_id=action_id,
                    among=("pending", "dead", "discarded"),
                )

    def _send(self, route: Route, letters: list[Outgoing]) -> None:
        starts = self._kafka.ends(route.retry_topic)
        with self._connection.transaction():
            action_id = begin_replay(
                self._connection, self._request.arguments, route.connector, route.retry_topic, starts
            )
            marked = mark_retrying(self._connection, action_id, letters)
        self.actions.append(action_id)
        chosen = [outgoing for outgoing in letters if outgoing.letter.id in marked]
        failures = self._producer.send(route.retry_topic, chosen, self._wait)
        with self._connection.transaction():
            put_back(self._connection, (outgoing.letter for outgoing in chosen), failures)
            end_replay(self._connection, action_id, self._kafka.ends(route.retry_topic), failures)
        self.report.kept |= failures
        self.report.kept |= {
            outgoing.letter.id: "it was changed by somebody else meanwhile"
            for outgoing in letters
            if outgoing.letter.id not in marked
        }
        self.report.sent += len(chosen) - len(failures)

    def _wait(self, _index: int, serve: Callable[[], object]) -> None:
        if self._pace:
            self._pace.wait(self._paced, serve)
            self._paced += 1

    def await_outcome(self, timeout_seconds: float, progress: Callable[[str], None]) -> None:
        """Wait until no letter is `retrying` any more, or until it is interrupted; count what became of them."""

        def known() -> bool:
            self.report.outcome = dict(outcomes(self._connection, self.actions))
            waiting = self.report.outcome.get("retrying", 0)
            progress(f"waiting for the outcome of {waiting:,} letters …")
            settle(self._connection, self._kafka)  # after the count: a replay whose outcomes are counted is settled
            return not waiting or self._stop.is_set()

        with suppress(NotReadyError):  # the report says how many are still on their way
            wait_until(known, awaiting="the outcome of the replay", timeout_seconds=timeout_seconds)
