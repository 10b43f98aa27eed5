"""Exact accounting: the topics against the tables, and what ksqlDB should have counted against the statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import psycopg
from psycopg import IsolationLevel
from tenacity import Retrying, retry_if_result, stop_after_attempt, stop_after_delay, stop_all, wait_exponential

from pipeline.clients.kafka import Kafka, Offsets
from pipeline.clients.lag import lag_records
from pipeline.clients.postgres import connect
from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.connectors import sink_group
from pipeline.settings import Settings
from pipeline.verify import contents, unaccounted
from pipeline.verify.changes import find_changes, remember
from pipeline.verify.clock import decide
from pipeline.verify.counting import count_partitions, count_records, count_users_and_letters
from pipeline.verify.events import EventReader, event_reader
from pipeline.verify.gaps import note_gaps
from pipeline.verify.ledger import Ledger
from pipeline.verify.lock import verification_lock
from pipeline.verify.profile_records import Passed, ProfileRecords
from pipeline.verify.profiles import compare_profiles
from pipeline.verify.progress import Passage
from pipeline.verify.standing import Standing
from pipeline.verify.statistics import compare_statistics
from pipeline.verify.topics import EVENTS, SINK, committed_offsets
from pipeline.verify.unexpected import find_unexpected
from pipeline.verify.verification import ALL, Range, Verification

_LOOKS = 4

# A table that is rewritten after the moment would look empty.
_LOCK = "LOCK TABLE user_events, user_stats, dead_letter_queue IN ACCESS SHARE MODE"

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

    Waits until all records that are there when it begins are through, at most for the request's timeout; returns
    earlier where none of them is on its way and the accounts still differ. Raises PipelineError if the tables are not
    deployed, UnreachableError or RejectedError of the server concerned.
    """
    kafka = Kafka(settings.kafka_config())
    reader = event_reader(SchemaRegistry(settings.schema_registry))
    with (
        connect(settings.postgres_dsn, autocommit=True) as connection,
        verification_lock(connection, request.timeout_seconds),
    ):
        connection.execute("SET timezone TO 'UTC'")
        ledger = Ledger(connection, kafka, reader)
        ledger.open()
        for module in (unaccounted, contents):
            module.create_temporary(connection)
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        profiles = ProfileRecords(connection, kafka, reader)
        look = _Look(kafka, reader, connection, ledger, profiles, request, progress or (lambda _: None))
        attempts = Retrying(
            # Reading may take all the time there is; then a few quick looks follow, as one alone cannot tell.
            stop=stop_all(stop_after_delay(request.timeout_seconds), stop_after_attempt(_LOOKS)),
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
    request: VerifyRequest
    progress: Callable[[str], None]
    settled: bool = False
    standing: Standing = field(default_factory=Standing)
    passage: Passage | None = None

    def __post_init__(self) -> None:
        self.span = self.request.span
        self.to_forget = self.request.full
        self.began_at = {**self.ledger.ends(), **self.profiles.ends()}

    def __call__(self) -> Verification:
        """Look: positions of the sinks first, then PostgreSQL as of one moment, then the topics.

        So what a sink has passed is in the tables, and what is in the tables was read from the topics.
        """
        committed = committed_offsets(self.kafka)
        passed = self.profiles.passed()
        through = self.passage.is_through() if self.passage else False
        with self.connection.transaction():
            self.connection.execute(_LOCK)
            self.connection.execute("SELECT count(*) FROM verified_rows")  # the first query sets the moment
            if self.to_forget:
                self.ledger.forget()
            self.ledger.read_on(self.progress)
            self.progress("comparing …")
            decide(self.connection, self.kafka)
            self.profiles.read_on()
            verification = self._account(committed, passed)
        self.to_forget = False
        if not self.standing.is_still:
            self.passage = Passage(self.kafka, self.ledger.ends_read()) if self.standing.count else None
        self.settled = not (verification.in_flight or verification.profiles_in_flight) and (
            not self.standing.count
            or (through is True and self.standing.is_still)
            or self.standing.still_seconds > _SETTLED_SECONDS
        )
        if verification.waiting_for:
            self.progress(verification.waiting_for)
        return verification

    def _account(self, committed: Mapping[str, Offsets], passed: Passed) -> Verification:
        note_gaps(self.connection, committed)
        changes = find_changes(self.connection, self.ledger.shape)
        unaccounted.find_unaccounted(self.connection, changes.records, committed, self.began_at)
        unexplained = find_unexpected(self.connection, changes.strangers, self.span)
        altered, all_are_right = contents.find_altered(self.ledger, self.connection, changes.rows, self.span)
        differences, not_compared = compare_statistics(
            self.connection,
            self.reader,
            self.ledger.erasures,
            changes.fresh,
            self.span,
            unproven=unexplained.all_unproven > 0,
        )
        records = count_records(self.connection, changes.fresh, self.span)
        partitions = count_partitions(self.connection, self.kafka, changes.fresh, committed)
        if unexplained.is_clean and all_are_right:
            remember(
                self.connection,
                changes,
                unproven=unexplained.all_unproven,
                unread_letters=unexplained.unread_letters,
            )
        records |= unaccounted.count_unaccounted(self.connection, self.span)
        profiles = compare_profiles(self.profiles, passed, self.began_at, self.span)
        mismatched = self.standing.narrow(differences)
        found = Verification(
            **records,
            **count_users_and_letters(self.connection),
            **profiles,
            rows=changes.total_rows,
            unproven=unexplained.unproven,
            unexpected=unexplained.unexpected,
            altered=altered,
            users_not_compared=not_compared,
            users_moving=len(self.standing.moving),
            users_mismatched=mismatched,
            partitions=partitions,
        )
        return replace(found, waiting_for=self._waiting_for(found))

    def _waiting_for(self, found: Verification) -> str:
        if found.in_flight:
            behind = lag_records(self.kafka, sink_group(SINK), EVENTS)
            return (
                f"{found.in_flight:,} records are on their way to user_events (the sink is {behind:,} records behind)"
            )
        if found.profiles_in_flight:
            return f"{found.profiles_in_flight:,} profiles are on their way to users"
        if found.users_mismatched.count:
            return f"{found.users_mismatched.count:,} users in user_stats are not up to date yet"
        return ""
