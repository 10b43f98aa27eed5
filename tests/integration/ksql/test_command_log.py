"""Statements of which Kafka does not say in time whether it has taken them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from embedded.ksql.errors import ServerError, UndecidedError
from embedded.ksql.language.parser import parse
from embedded.ksql.runtime import command_log
from embedded.ksql.runtime.clients import KafkaClients
from embedded.ksql.runtime.engine import Engine
from embedded.ksql.runtime.registry import RegistryClient
from embedded.ksql.runtime.session import Cluster
from embedded.ksql.runtime.topics import Topics
from pipeline.waiting import wait_until
from tests.accounts import process_of
from tests.conftest import Stack
from tests.integration.ksql.ends import Ends

SECONDS = 60.0


class Once:
    """A producer of which one call does something else, once."""

    def __init__(self, producer: Any, call: str, instead: Callable[..., None]) -> None:
        self._producer = producer
        self._instead = {call: instead}

    def __getattr__(self, name: str) -> Any:
        instead = self._instead.pop(name, None)
        return getattr(self._producer, name) if instead is None else partial(instead, self._producer)


def started(stack: Stack, service_id: str, transaction_seconds: float = 60.0) -> Engine:
    clients = KafkaClients({"bootstrap.servers": stack.kafka_bootstrap_servers})
    clients.transaction_seconds = transaction_seconds
    engine = Engine(Cluster(clients, Topics(clients), RegistryClient(None), service_id))
    engine.open()
    return engine


def declare(engine: Engine, name: str) -> None:
    settings = f"KAFKA_TOPIC='{engine.cluster.service_id}', VALUE_FORMAT='JSON', PARTITIONS=1"
    (parsed,) = parse(f"CREATE STREAM {name} (n INT) WITH ({settings});")
    with engine.changing():
        engine.execute(parsed, {})


def declared(engine: Engine) -> set[str]:
    with engine.changing():
        return set(engine.catalog.sources)


@pytest.fixture
def service_id() -> str:
    return f"log_{uuid.uuid4().hex[:8]}_"


def test_a_statement_that_kafka_takes_late_is_executed_then_and_said_to_be_undecided_before(
    stack: Stack, service_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = started(stack, service_id)
    broker = process_of(stack, "kafka")

    def commit(producer: Any, seconds: float) -> None:
        broker.suspend()
        try:
            producer.commit_transaction(seconds)
        finally:
            broker.resume()

    declare(engine, "first")
    engine.commands._producer = Once(engine.commands._producer, "commit_transaction", commit)  # type: ignore[assignment]
    monkeypatch.setattr(command_log, "TIMEOUT_SECONDS", 1.0)
    with pytest.raises(ServerError, match="Kafka has not said yet whether it takes the statement"):
        declare(engine, "late")
    monkeypatch.undo()
    wait_until(lambda: declared(engine) == {"FIRST", "LATE"}, awaiting="Kafka's word", timeout_seconds=SECONDS)
    declare(engine, "third")
    assert declared(started(stack, service_id)) == {"FIRST", "LATE", "THIRD"}


def test_a_statement_whose_transaction_took_too_long_is_refused_for_good_and_the_next_one_is_not(
    stack: Stack, service_id: str
) -> None:
    engine = started(stack, service_id, transaction_seconds=1.0)
    ends = Ends(stack.kafka_bootstrap_servers, engine.commands.topic)

    def commit(*_: object) -> None:
        wait_until(ends.is_open, awaiting="the command to be written", timeout_seconds=SECONDS)
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "too late", retriable=True))

    engine.commands._producer = Once(engine.commands._producer, "commit_transaction", commit)  # type: ignore[assignment]
    with pytest.raises(UndecidedError):
        declare(engine, "lost")
    wait_until(lambda: not ends.is_open(), awaiting="Kafka to end the transaction", timeout_seconds=SECONDS)
    assert declared(engine) == set()
    declare(engine, "next")
    assert declared(engine) == declared(started(stack, service_id)) == {"NEXT"}


def test_a_statement_is_taken_although_kafka_has_forgotten_the_silent_producer(stack: Stack, service_id: str) -> None:
    engine = started(stack, service_id)

    def produce(producer: Any, *values: object, **options: object) -> None:
        producer.produce(*values, **options)
        producer.purge()  # which librdkafka does by itself when the broker no longer knows the producer's id

    engine.commands._producer = Once(engine.commands._producer, "produce", produce)  # type: ignore[assignment]
    declare(engine, "first")
    assert declared(engine) == declared(started(stack, service_id)) == {"FIRST"}
