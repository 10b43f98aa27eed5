"""What becomes of a query's offsets from one session to the next."""

from __future__ import annotations

import gc
import json
import uuid
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions

from embedded.ksql.errors import TransactionTimedOutError
from embedded.ksql.runtime import session, source_partitions
from embedded.ksql.runtime import worker as worker_module
from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.encoding import Record
from embedded.ksql.runtime.output import Output
from embedded.ksql.runtime.topics import Topics
from embedded.ksql.runtime.worker import QueryState, QueryWorker
from pipeline.waiting import wait_until
from tests.integration.ksql import run_query
from tests.integration.ksql.engine_process import Servers
from tests.integration.ksql.run_query import query_worker
from tests.integration.ksql.topic import create_topic, write

SECONDS = 60.0

Start = Callable[[], QueryWorker]


@pytest.fixture
def topic(stack: Servers) -> str:
    """A topic of clicks, and one beside it for what the query writes."""
    clients, name = KafkaClients({"bootstrap.servers": stack.kafka_bootstrap_servers}), f"clicks-{uuid.uuid4().hex[:8]}"
    create_topic(clients, name)
    create_topic(clients, f"{name}-totals")
    write(clients, name, [(who, {"who": who, "amount": 1}) for who in "abc"])
    return name


@pytest.fixture
def start(stack: Servers, topic: str) -> Iterator[Start]:
    """Start the query in this process; it is stopped at the end."""
    started: list[QueryWorker] = []

    def start_one() -> QueryWorker:
        worker = query_worker(stack.kafka_bootstrap_servers, topic, f"{topic}-totals")
        started.append(worker)
        worker.start()
        assert worker.wait_ready(SECONDS)
        return worker

    yield start_one
    for worker in started:
        worker.stop()


def await_commits(worker: QueryWorker, count: int) -> None:
    wait_until(
        lambda: worker.statistics.commits >= count,
        awaiting=f"{count} commits",
        timeout_seconds=SECONDS,
    )


def test_every_start_commits_the_offsets_anew_though_nothing_has_come(start: Start) -> None:
    first = start()
    await_commits(first, 2)
    first.stop()
    second = start()
    assert second.statistics.commits == 1
    assert second.statistics.records_in == 0
    assert second.statistics.last_message_ms == 0


def test_a_query_that_hears_nothing_or_rests_commits_its_offsets_now_and_then(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "IDLE_COMMIT_SECONDS", 0.0)
    worker = start()
    await_commits(worker, 5)
    worker.paused = True
    await_commits(worker, worker.statistics.commits + 5)
    assert worker.failure is None


def test_a_query_that_rests_survives_that_its_topic_is_made_anew_with_fewer_partitions(
    start: Start, stack: Servers, topic: str
) -> None:
    worker = start()
    await_commits(worker, 2)
    worker.paused = True
    clients = KafkaClients({"bootstrap.servers": stack.kafka_bootstrap_servers})
    Topics(clients).delete([topic])
    wait_until(lambda: worker.statistics.restarts > 0, awaiting="a restart", timeout_seconds=SECONDS)
    create_topic(clients, topic, 1)
    wait_until(lambda: worker.state is QueryState.PAUSED, awaiting="the query to be back", timeout_seconds=SECONDS)
    assert worker.failure is None
    assert list(worker.positions()) == [(topic, 0)]


def test_partitions_that_are_added_while_a_query_runs_are_read_from_their_beginning(
    start: Start, stack: Servers, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(run_query.SETTINGS, "auto.offset.reset", "latest")
    monkeypatch.setattr(source_partitions, "LOOK_SECONDS", 0.5)
    worker = start()
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap_servers})
    admin.create_partitions([NewPartitions(topic, 6)])[topic].result(SECONDS)
    producer = KafkaClients({"bootstrap.servers": stack.kafka_bootstrap_servers}).producer()
    for partition in range(6):
        producer.produce(topic, json.dumps({"who": "d", "amount": 1}), "d", partition)
    assert producer.flush(SECONDS) == 0
    wait_until(lambda: worker.statistics.records_in == 6, awaiting="every record", timeout_seconds=SECONDS)
    assert worker.statistics.restarts == 1
    assert worker.failure is None
    assert sorted(worker.positions()) == [(topic, number) for number in range(6)]
    with worker.reading(SECONDS) as table:
        assert table is not None
        assert [row.value for row in table.rows()] == [(6, 6)]


def test_a_query_none_of_whose_transactions_gets_through_ends_in_error(
    start: Start, stack: Servers, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "LONGEST_BACKOFF_SECONDS", 0.0)
    worker = start()
    await_commits(worker, 2)
    write_all = Output.write

    def write_nothing(output: Output, sink: str | None, records: Sequence[Record], *rest: Any) -> None:
        if records:
            raise TransactionTimedOutError("too long")
        write_all(output, sink, records, *rest)

    monkeypatch.setattr(Output, "write", write_nothing)
    write(KafkaClients({"bootstrap.servers": stack.kafka_bootstrap_servers}), topic, [("a", {"who": "a", "amount": 1})])
    wait_until(lambda: worker.state is QueryState.ERROR, awaiting="the end of the query", timeout_seconds=SECONDS)
    assert worker.failure == "too long"
    assert worker.statistics.restarts == worker_module.MOST_TIMEOUTS


def test_the_state_of_a_query_that_was_stopped_leaves_memory_at_once(start: Start) -> None:
    worker = start()
    await_commits(worker, 2)
    with worker.reading(SECONDS) as rows:
        state = weakref.ref(rows)
    del rows
    gc.disable()
    try:
        worker.stop()
        assert state() is None
    finally:
        gc.enable()
