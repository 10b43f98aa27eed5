"""The producer against real servers: what it reports is what the topic holds."""

from __future__ import annotations

import json
import socket
import threading
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from confluent_kafka import Consumer, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from access.http import Endpoint
from pipeline.waiting import wait_until
from producer.avro import decode, event_of_record, load_schema, user_of_record
from producer.errors import (
    InvalidRequestError,
    RejectedError,
    SchemaNotRegisteredError,
    TopicMissingError,
    UnreachableError,
)
from producer.run import ProduceRequest, produce

if TYPE_CHECKING:
    from tests.conftest import Stack

EVENTS, USERS = load_schema("user-events-value"), load_schema("users-value")
CLOSED_PORT = 9

MakeRequest = Callable[..., ProduceRequest]


def create_topic(stack: Stack, topic: str, **config: str) -> None:
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap_servers})
    admin.create_topics([NewTopic(topic, 3, 1, config=config)])[topic].result(30)
    wait_until(lambda: is_led(admin, topic), awaiting=f"leaders of {topic}", timeout_seconds=60)


def is_led(admin: AdminClient, topic: str) -> bool:
    """Whether every partition can be read; Kafka answers that a topic was created a moment earlier."""
    asked = admin.list_offsets(
        {TopicPartition(topic, number): OffsetSpec.latest() for number in range(3)},
        isolation_level=IsolationLevel.READ_COMMITTED,
    )
    return all(future.exception(30) is None for future in asked.values())


def register(stack: Stack, subject: str, schema: dict[str, Any]) -> None:
    url = f"{stack.schema_registry_url}/subjects/{subject}/versions"
    requests.post(url, json={"schemaType": "AVRO", "schema": json.dumps(schema)}, timeout=30).raise_for_status()


@pytest.fixture
def fresh(stack: Stack) -> ProduceRequest:
    """A request for topics of its own."""
    suffix = uuid.uuid4().hex[:8]
    request = ProduceRequest(
        bootstrap_servers=stack.kafka_bootstrap_servers,
        schema_registry=Endpoint(stack.schema_registry_url),
        topic=f"events-{suffix}",
        users_topic=f"users-{suffix}",
        users=20,
    )
    for topic, schema in ((request.topic, EVENTS), (request.users_topic, USERS)):
        create_topic(stack, topic)
        register(stack, f"{topic}-value", schema)
    return request


def read(request: ProduceRequest, topic: str) -> list[tuple[str, bytes, int]]:
    """Return key, value and partition of all records of a topic."""
    consumer = Consumer({"bootstrap.servers": request.bootstrap_servers, "group.id": "none"})
    partitions = [TopicPartition(topic, number, 0) for number in range(3)]
    missing = sum(consumer.get_watermark_offsets(partition, timeout=30)[1] for partition in partitions)
    consumer.assign(partitions)
    records: list[tuple[str, bytes, int]] = []
    while len(records) < missing:
        messages = consumer.consume(missing - len(records), timeout=30)
        assert messages, f"{len(records)} of {missing} records read"
        for message in messages:
            assert message.error() is None
            key, value, partition = message.key(), message.value(), message.partition()
            assert isinstance(key, bytes)
            assert isinstance(value, bytes)
            assert partition is not None
            records.append((key.decode(), value, partition))
    consumer.close()
    return records


@pytest.mark.parametrize("mode", ["random", "session", "anomaly"])
def test_the_acknowledged_records_are_those_in_the_topic(fresh: ProduceRequest, mode: Any) -> None:
    request = replace(fresh, events=3000, duplicates=0.1, mode=mode)
    report = produce(request, stop=threading.Event())
    assert (report.acknowledged, report.duplicates, report.failed, report.failures) == (3300, 300, 0, {})
    records = read(request, request.topic)
    events = [event_of_record(decode(EVENTS, value)) for _, value, _ in records]
    seen = Counter(event.event_id for event in events)
    assert Counter(seen.values()) == {1: 2700, 2: 300}
    assert [key for key, _, _ in records] == [event.user_id for event in events]
    assert len({(key, partition) for key, _, partition in records}) == len({key for key, _, _ in records})


def test_every_user_gets_a_profile_that_is_not_counted(fresh: ProduceRequest) -> None:
    report = produce(replace(fresh, events=5), stop=threading.Event())
    profiles = [user_of_record(decode(USERS, value)) for _, value, _ in read(fresh, fresh.users_topic)]
    assert len({profile.user_id for profile in profiles}) == 20
    assert report.acknowledged == 5


def test_the_same_seed_gives_the_same_records(fresh: ProduceRequest) -> None:
    request = replace(fresh, events=200, seed=11, with_users=False)
    for _ in range(2):
        produce(request, stop=threading.Event())
    values = Counter(value for _, value, _ in read(request, request.topic))
    assert Counter(values.values()) == {2: 200}


def test_backdated_events_spread_over_the_span(fresh: ProduceRequest) -> None:
    request = replace(fresh, events=90, since=timedelta(days=90), with_users=False)
    produce(request, stop=threading.Event())
    days = {event_of_record(decode(EVENTS, value)).occurred_at.date() for _, value, _ in read(request, request.topic)}
    assert 90 <= len(days) <= 91


def test_the_rate_is_kept(fresh: ProduceRequest) -> None:
    report = produce(replace(fresh, events=150, rate=100, duplicates=0.1), stop=threading.Event())
    assert report.acknowledged == 165
    assert report.seconds >= 1.64


def test_a_stop_ends_an_endless_run_and_reports_what_is_there(fresh: ProduceRequest) -> None:
    stop = threading.Event()
    request = replace(fresh, events=None, with_users=False)
    report = produce(request, stop=stop, progress=lambda done: stop.set() if done > 100 else None)
    assert report.acknowledged > 100
    assert report.failed == 0
    assert len(read(request, request.topic)) == report.acknowledged


def test_a_stop_before_the_start_sends_nothing(fresh: ProduceRequest) -> None:
    stop = threading.Event()
    stop.set()
    report = produce(fresh, stop=stop)
    assert report.acknowledged == 0


def test_records_that_the_broker_refuses_are_failures_and_not_acknowledged(stack: Stack, fresh: ProduceRequest) -> None:
    request = replace(fresh, topic=f"{fresh.topic}-narrow", events=10, duplicates=0.5, with_users=False)
    create_topic(stack, request.topic, **{"max.message.bytes": "60"})
    register(stack, f"{request.topic}-value", EVENTS)
    report = produce(request, stop=threading.Event())
    assert (report.acknowledged, report.failed, report.duplicates) == (0, 15, 0)
    assert sum(report.failures.values()) == 15
    assert "MSG_SIZE_TOO_LARGE" in next(iter(report.failures))


def test_an_unregistered_schema_is_refused_before_the_first_event(stack: Stack, fresh: ProduceRequest) -> None:
    request = replace(fresh, topic=f"{fresh.topic}-bare")
    create_topic(stack, request.topic)
    with pytest.raises(SchemaNotRegisteredError, match=f"{request.topic}-value.*run `pipeline deploy`"):
        produce(request, stop=threading.Event())
    assert read(request, request.topic) == []


def test_a_subject_with_another_schema_is_refused(stack: Stack, fresh: ProduceRequest) -> None:
    request = replace(fresh, topic=f"{fresh.topic}-other")
    create_topic(stack, request.topic)
    register(stack, f"{request.topic}-value", USERS)
    with pytest.raises(SchemaNotRegisteredError, match="run `pipeline deploy`"):
        produce(request, stop=threading.Event())


@pytest.mark.parametrize("which", ["topic", "users_topic"])
def test_a_missing_topic_is_named(stack: Stack, fresh: ProduceRequest, which: str) -> None:
    missing = f"missing-{uuid.uuid4().hex[:8]}"
    register(stack, f"{missing}-value", EVENTS)
    changes: dict[str, Any] = {which: missing}
    with pytest.raises(TopicMissingError, match=f"no topic {missing} .*run `pipeline deploy`"):
        produce(replace(fresh, **changes), stop=threading.Event())


def test_a_broker_that_is_down_is_named(fresh: ProduceRequest) -> None:
    request = replace(fresh, bootstrap_servers=f"127.0.0.1:{CLOSED_PORT}")
    with pytest.raises(UnreachableError, match=r"Kafka does not answer at 127\.0\.0\.1:9 .*refused"):
        produce(request, stop=threading.Event())


def test_a_registry_that_is_down_is_named(fresh: ProduceRequest) -> None:
    request = replace(fresh, schema_registry=Endpoint(f"http://127.0.0.1:{CLOSED_PORT}"))
    with pytest.raises(UnreachableError, match="Schema Registry does not answer at http://127"):
        produce(request, stop=threading.Event())


def test_an_address_of_something_else_is_no_registry(stack: Stack, fresh: ProduceRequest) -> None:
    request = replace(fresh, schema_registry=Endpoint(stack.connect_url))
    with pytest.raises(RejectedError, match="Schema Registry refused POST"):
        produce(request, stop=threading.Event())


def test_a_run_tells_prometheus_what_it_did_so_far(fresh: ProduceRequest) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    seen: list[str] = []

    def look(acknowledged: int) -> None:
        if acknowledged and not seen:
            seen.append(requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text)

    request = replace(fresh, events=300, rate=300.0, metrics_address=("127.0.0.1", port))
    produce(request, progress=look, stop=threading.Event())
    metrics = dict(line.split(" ") for line in seen[0].splitlines() if not line.startswith("#"))
    assert 0 < float(metrics["producer_records_sent_total"]) <= 300
    assert float(metrics["producer_records_failed_total"]) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10)


def test_a_port_for_metrics_that_is_taken_is_named(fresh: ProduceRequest) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidRequestError, match=rf"cannot serve metrics on 127\.0\.0\.1:{port}"):
            produce(replace(fresh, metrics_address=("127.0.0.1", port)), stop=threading.Event())
