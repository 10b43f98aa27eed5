"""Exact accounting: the topics against the tables, and what ksqlDB should have counted against the statistics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import IsolationLevel
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_exponential

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.lag import lag_records
from pipeline.clients.postgres import connect
from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.connectors import sink_group
from pipeline.settings import Settings
from pipeline.verify import contents, unaccounted
from pipeline.verify.clock import decide
from pipeline.verify.counting import count_partitions, count_records, count_rows, is_complete
from pipeline.verify.events import EventReader
from pipeline.verify.ledger import Ledger
from pipeline.verify.lock import verification_lock
from pipeline.verify.profile_records import Passed, ProfileRecords
from pipeline.verify.profiles import compare_profiles
from pipeline.verify.progress import statistics_are_through
from pipeline.verify.statistics import compare_statistics
from pipeline.verify.topics import EVENTS, SINK, committed_offsets
from pipeline.verify.unexpected import find_unexpected
from pipeline.verify.verification import ALL, Range, Verification

# Where nobody can see how far ksqlDB is, a difference in the statistics is final after so long without a change:
# nothing moves while a server starts again.
_SETTLED_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """What is verified: records sent in ``span``. ``full`` reads again what was read and found right before."""

    timeout_seconds: float
    span: Range = ALL
    full: bool = False


def verify(
    settings: Settings, request: VerifyRequest, *, progress: Callable[[str], None] | None = None
) -> Verification:
    """Account for every record of the topic, its dead letters and their replays, every row, statistic and profile.

    Waits until all records are through (also those that come meanwhile), at most for the request's timeout; returns
    earlier where nothing is on its way and the accounts still differ. Raises PipelineError if the tables are not
    deployed, UnreachableError or RejectedError of the server concerned.
    """
    kafka = Kafka(settings.kafka_config())
    reader = EventReader(SchemaRegistry(settings.schema_registry).schema_by_id)
    with (
        connect(settings.postgres_dsn, autocommit=True) as connection,
        verification_lock(connection, request.timeout_seconds),
    ):
        connection.execute("SET timezone TO 'UTC'")
        ledger = Ledger(connection, kafka, reader)
        ledger.open()
        for module in (unaccounted, contents):
            module.create_temporary(connection)
        if request.full:
            ledger.forget()
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        profiles = ProfileRecords(connection, kafka, reader)
        look = _Look(kafka, reader, connection, ledger, profiles, request.span, progress or (lambda _: None))
        attempts = Retrying(
            stop=stop_after_delay(request.timeout_seconds),
            wait=wait_exponential(multiplier=0.2, max=2.0),
            retry=retry_if_result(lambda verification: not (verification.ok or look.settled)),
            retry_error_callback=lambda state: state.outcome and state.outcome.result(),
        )
        outcome: Verification = attempts(look)
        return outcome


@dataclass
class _Look:
    """One look at all accounts, and whether another could find anything else."""

    kafka: Kafka
    reader: EventReader
    connection: psycopg.Connection
    ledger: Ledger
    profiles: ProfileRecords
    span: Range
    progress: Callable[[str], None]
    settled: bool = False
    previous: Verification = field(default_factory=Verification)
    since: float = field(default_factory=time.monotonic)

    def __call__(self) -> Verification:
        """Look: positions of the sinks first, then PostgreSQL as of one moment, then the topics.

        So what a sink has passed is in the tables, and what is in the tables was read from the topics.
        """
        committed = committed_offsets(self.kafka)
        passed = self.profiles.passed()
        through = statistics_are_through(self.kafka) if self.previous.users_mismatched.count else False
        with self.connection.transaction():
            self.connection.execute("SELECT count(*) FROM verified_rows")  # the first statement sets the moment
            added = self.ledger.read_on()
            decide(self.connection, self.kafka)
            self.profiles.read_on()
            verification = self._account(committed, passed)
        self.settled = not (verification.in_flight or verification.profiles_in_flight) and (
            not verification.users_mismatched.count or (through is True and not added) or self._still(verification)
        )
        self.progress(verification.waiting_for)
        return verification

    def _still(self, verification: Verification) -> bool:
        """Whether nothing has changed for long."""
        if verification != self.previous:
            self.previous, self.since = verification, time.monotonic()
        return time.monotonic() - self.since > _SETTLED_SECONDS

    def _account(self, committed: Mapping[str, Offsets], passed: Passed) -> Verification:
        in_flight, missing = unaccounted.find_unaccounted(self.connection, committed, self.span)
        unexpected, unproven = find_unexpected(self.connection, self.span)
        mismatched, not_compared = compare_statistics(
            self.connection,
            self.reader,
            self.ledger.erasures,
            self.span,
            complete=is_complete(self.connection, EVENTS),
        )
        profiles = compare_profiles(self.profiles, passed, self.span)
        return Verification(
            **count_records(self.connection, self.span),
            **count_rows(self.connection),
            **profiles,
            unproven=unproven,
            in_flight=in_flight,
            missing=missing,
            unexpected=unexpected,
            altered=contents.find_altered(self.ledger, self.connection, self.span),
            users_not_compared=not_compared,
            users_mismatched=mismatched,
            partitions=count_partitions(self.connection, self.kafka, committed),
            waiting_for=self._waiting_for(in_flight, profiles["profiles_in_flight"], mismatched.count),
        )

    def _waiting_for(self, in_flight: int, profiles: int, mismatched: int) -> str:
        if in_flight:
            behind = lag_records(self.kafka, sink_group(SINK), EVENTS)
            return f"{in_flight:,} records are on their way to user_events (the sink is {behind:,} records behind)"
        if profiles:
            return f"{profiles:,} profiles are on their way to users"
        if mismatched:
            return f"{mismatched:,} users in user_stats are not up to date yet"
        return ""
