"""A persistent query's thread: keeps a session running until the query is stopped or kills itself."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from threading import Event, Thread

import structlog
from confluent_kafka import KafkaException

from embedded.ksql.errors import ServerError, TakenOverError, TransactionTimedOutError
from embedded.ksql.operators.interface import Materialized
from embedded.ksql.runtime.clients import FENCED, cause_of
from embedded.ksql.runtime.session import Cluster, QueryDefinition, Session, Statistics

log = structlog.get_logger(__name__)

PAUSE_POLL_SECONDS = 0.1
FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 10.0
STOP_SECONDS = 90.0
MOST_TIMEOUTS = 5


class QueryState(Enum):
    """States as SHOW QUERIES names them."""

    REBALANCING = "REBALANCING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    ERROR = "ERROR"
    STOPPED = "STOPPED"


class QueryWorker:
    """Runs one persistent query. A server that is away never ends it; an error of its own data does.

    A transaction that Kafka has ended is computed again, ``MOST_TIMEOUTS`` times if none gets through.
    """

    def __init__(self, definition: QueryDefinition, cluster: Cluster) -> None:
        self.definition = definition
        self.statistics = Statistics()
        self.failure: str | None = None
        self.paused = False
        self._state = QueryState.REBALANCING
        self._cluster = cluster
        self._session: Session | None = None
        self._ready, self._stopping = Event(), Event()
        self._thread = Thread(target=self._run, name=definition.query_id, daemon=True)

    @property
    def state(self) -> QueryState:
        """Where the query stands; a paused one is running without doing anything."""
        return QueryState.PAUSED if self.paused and self._state is QueryState.RUNNING else self._state

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wait_ready(self, seconds: float) -> bool:
        """Wait until state is restored and positions are known, or the query has failed."""
        return self._ready.wait(seconds)

    def request_stop(self) -> None:
        """Tell the thread to end, without waiting for it."""
        self._stopping.set()

    def stop(self) -> None:
        """Finish the transaction that is under way, close the clients, end the thread."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_SECONDS)

    @contextmanager
    def reading(self, seconds: float) -> Iterator[Materialized | None]:
        """Give access to the query's rows while nothing changes them; None if it does not become ready in time."""
        self._ready.wait(seconds)
        session = self._session
        if session is None:
            yield None
            return
        with session.lock:
            yield session.topology.materialized

    def state_rows(self) -> int:
        """Return how many rows the query's stores hold; 0 while it is restarting."""
        session = self._session
        return 0 if session is None else session.state_rows()

    def lag_records(self) -> int:
        """Return how many records are waiting; 0 while it is restarting."""
        session = self._session
        return 0 if session is None else session.lag_records

    def positions(self) -> dict[tuple[str, int], int]:
        """Return the next offset to read of each source partition; nothing while it is restarting."""
        session = self._session
        return {} if session is None else session.positions

    def _run(self) -> None:
        backoff, timeouts = FIRST_BACKOFF_SECONDS, 0
        while not self._stopping.is_set():
            began, committed = time.monotonic(), self.statistics.commits
            try:
                self._run_session()
            except (KafkaException, ServerError) as error:
                # A session that lived longer than the back-off was healthy: start over with short waits.
                healthy = time.monotonic() - began > LONGEST_BACKOFF_SECONDS
                backoff = FIRST_BACKOFF_SECONDS if healthy else min(backoff * 2, LONGEST_BACKOFF_SECONDS)
                if self.statistics.commits > committed + 1:  # every start makes one
                    timeouts = 0
                timeouts += isinstance(error, TransactionTimedOutError)
                self._note_restart(error, backoff, is_hopeless=timeouts > MOST_TIMEOUTS)
            except Exception as error:
                log.exception("query.failed", query=self.definition.query_id)
                self._fail(str(error) or type(error).__name__)
            # What a session compiled are reference cycles, which hold its state, and the collector runs seldom.
            gc.collect()
            if self._state is QueryState.ERROR:
                return
            self._stopping.wait(backoff)
        self._state = QueryState.STOPPED

    def _run_session(self) -> None:
        session = Session(self.definition, self._cluster, self.statistics)
        try:
            if self.statistics.commits and session.is_taken_over():
                raise TakenOverError
            session.open()
            self._session = session
            self._state = QueryState.RUNNING
            self._ready.set()
            while not self._stopping.is_set():
                if self.paused:
                    session.note_waiting()
                    self._stopping.wait(PAUSE_POLL_SECONDS)
                else:
                    session.step()
        finally:
            self._ready.clear()
            self._session = None
            session.close()

    def _note_restart(self, error: Exception, seconds: float, *, is_hopeless: bool) -> None:
        if isinstance(error, KafkaException) and cause_of(error).code() in FENCED:
            self._fail(TakenOverError().message)
            return
        if is_hopeless:
            self._fail(str(error))
            return
        log.warning("query.restarting", query=self.definition.query_id, error=str(error), seconds=seconds)
        self.statistics.restarts += 1
        self._state = QueryState.REBALANCING

    def _fail(self, message: str) -> None:
        self.failure = message
        self._state = QueryState.ERROR
        self._ready.set()
