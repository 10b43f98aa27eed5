"""Processes that are stopped amid a transaction for longer than Kafka lets one take, and such as have a successor."""

from __future__ import annotations

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.worker import QueryState
from pipeline.waiting import wait_until
from tests.conftest import ROOT
from tests.integration.ksql.ends import Ends
from tests.integration.ksql.engine_process import EngineProcess, Servers, engine_process
from tests.integration.ksql.run_query import query_worker
from tests.integration.ksql.topic import Reader, create_topic, write

EVENTS, USERS = 100_000, 100
ATTEMPTS = 10_000
SECONDS = 60.0
# The broker looks for transactions that took too long every ten seconds.
PROGRAM = """
import sys
from embedded.ksql.runtime import clients
clients.TRANSACTION_TIMEOUT_MS = 1_000
from embedded.ksql.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def engine(stack: Servers, tmp_path: Path) -> Iterator[EngineProcess]:
    with engine_process(stack, f"frozen_{uuid.uuid4().hex[:6]}_", tmp_path, ("-c", PROGRAM)) as running:
        yield running


def test_a_query_frozen_amid_a_transaction_goes_on_exactly_where_it_was(engine: EngineProcess, stack: Servers) -> None:
    clients, name = KafkaClients({"bootstrap.servers": stack.kafka_bootstrap_servers}), engine.service_id.rstrip("_")
    create_topic(clients, f"{name}-clicks")
    write(clients, f"{name}-clicks", [(f"user-{number % USERS}", {"n": number}) for number in range(EVENTS)])
    engine.execute(
        f"CREATE STREAM clicks (who STRING KEY, n INT) WITH (KAFKA_TOPIC='{name}-clicks', VALUE_FORMAT='JSON');"
        f"CREATE TABLE totals WITH (KAFKA_TOPIC='{name}-totals', PARTITIONS=1) AS "
        "SELECT who, COUNT(*) AS n FROM clicks GROUP BY who;"
    )
    topic = Ends(stack.kafka_bootstrap_servers, f"{name}-totals")
    freeze_amid_a_transaction(engine, topic)
    wait_until(lambda: not topic.is_open(), awaiting="Kafka to end the transaction", timeout_seconds=SECONDS)
    engine.send_signal(signal.SIGCONT)
    assert len(Reader(clients, f"{name}-totals").until(EVENTS)) == EVENTS
    assert engine.query("SELECT * FROM totals;") == [
        [f"user-{n}", EVENTS // USERS] for n in sorted(range(USERS), key=str)
    ]
    query_id = engine.query_id("TOTALS")
    (shown,) = engine.execute("SHOW QUERIES;")
    assert [query["state"] for query in shown["queries"]] == ["RUNNING"]
    assert engine.metrics()[f"ksql_query_restarts_total{{{query_id}}}"] == 1


def freeze_amid_a_transaction(engine: EngineProcess, topic: Ends) -> None:
    """Stop the process as soon as it has written something; let it go on at once where it has committed that by now."""
    for _ in range(ATTEMPTS):
        if topic.is_open():
            engine.send_signal(signal.SIGSTOP)
            if topic.is_open():
                return
            engine.send_signal(signal.SIGCONT)
    pytest.fail("the process was never stopped amid a transaction")


@pytest.mark.parametrize("was_frozen", [False, True])
def test_a_query_that_another_process_runs_now_ends_and_leaves_it_alone(stack: Servers, *, was_frozen: bool) -> None:
    clients, name = KafkaClients({"bootstrap.servers": stack.kafka_bootstrap_servers}), f"two-{uuid.uuid4().hex[:8]}"
    create_topic(clients, name)
    create_topic(clients, f"{name}-totals")
    arguments = stack.kafka_bootstrap_servers, name, f"{name}-totals"
    first = query_worker(*arguments)
    first.start()
    assert first.wait_ready(SECONDS)
    assert first._session is not None
    if was_frozen:  # or seems so, whatever it is told
        first._session._output._longest_seconds = 0.0
    second = subprocess.Popen([sys.executable, "-m", "tests.integration.ksql.run_query", *arguments], cwd=ROOT)
    try:
        reader, sent = Reader(clients, f"{name}-totals"), 0

        def is_over() -> bool:
            nonlocal sent
            write(clients, name, [("a", {"who": "a", "amount": 1})])
            sent += 1
            reader.until(sent)
            return first.state is QueryState.ERROR

        wait_until(is_over, awaiting="the first process to see that", timeout_seconds=SECONDS)
        assert first.failure == "Another ksqlDB server with the same service id has taken over this query."
        assert second.poll() is None
        assert len(reader.rest()) == sent
    finally:
        first.stop()
        second.kill()
        second.wait()
