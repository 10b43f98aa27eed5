"""Three brokers, replication 3, two acknowledgements: what docker-compose.yml's cluster promises, on real brokers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from dotenv import dotenv_values

from pipeline.clients.kafka import Kafka
from pipeline.waiting import wait_until
from tests.conftest import ROOT
from tests.integration.containers.brokers import Broker, cluster

TOPIC = "user-events"
PARTITIONS = 4
WAIT_SECONDS = 120.0


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[dict[str, Broker]]:
    with cluster(tmp_path) as running:
        yield running


def addresses(brokers: dict[str, Broker]) -> str:
    return ",".join(broker.address for broker in brokers.values())


def in_sync(brokers: dict[str, Broker]) -> list[int]:
    """Return how many replicas of each partition hold everything."""
    try:
        topics = AdminClient({"bootstrap.servers": addresses(brokers), "log_level": 2}).list_topics(timeout=5).topics
    except KafkaException:
        return []
    return [len(partition.isrs) for partition in topics[TOPIC].partitions.values()] if TOPIC in topics else []


def written(brokers: dict[str, Broker], values: Sequence[str], seconds: float = 60.0) -> int:
    """Write values in one transaction, as the pipeline's engine does; return how many were acknowledged."""
    settings = {"bootstrap.servers": addresses(brokers), "log_level": 2, "transactional.id": "test"}
    producer = Producer({**settings, "transaction.timeout.ms": int(seconds * 1000)})
    try:
        producer.init_transactions(seconds)
        producer.begin_transaction()
        for value in values:
            producer.produce(TOPIC, value, value)
        producer.commit_transaction(seconds)
    except KafkaException:
        return 0
    return len(values)


def read(brokers: dict[str, Broker], count: int) -> list[str]:
    """Read what is committed, from the beginning, until so many records are there; then what else there is."""
    settings = {"bootstrap.servers": addresses(brokers), "group.id": "test", "log_level": 2}
    consumer = Consumer({**settings, "isolation.level": "read_committed"})
    consumer.assign([TopicPartition(TOPIC, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
    found: list[str] = []

    def enough() -> bool:
        for message in consumer.consume(1000, 1.0):
            assert message.error() is None
            found.append((message.value() or b"").decode())
        return len(found) >= count

    try:
        wait_until(enough, awaiting=f"{count} records", timeout_seconds=WAIT_SECONDS)
        enough()
    finally:
        consumer.close()
    return sorted(found)


def values(first: int, behind: int) -> list[str]:
    return [f"{number:04}" for number in range(first, behind)]


def test_one_of_three_brokers_can_be_lost_and_two_stop_writes_without_loss(brokers: dict[str, Broker]) -> None:
    replicas = int(dotenv_values(ROOT / "profiles/docker-cluster.env")["PIPELINE_REPLICATION_FACTOR"] or 0)
    admin = AdminClient({"bootstrap.servers": addresses(brokers), "log_level": 2})
    wait_until(
        lambda: len(admin.list_topics(timeout=60).brokers) == replicas,
        awaiting="three brokers",
        timeout_seconds=WAIT_SECONDS,
    )
    admin.create_topics([NewTopic(TOPIC, PARTITIONS, replicas)])[TOPIC].result(30)
    assert Kafka({"bootstrap.servers": addresses(brokers)}).topic_config(TOPIC)["min.insync.replicas"] == "2"
    assert written(brokers, values(0, 200)) == 200

    brokers["kafka"].kill()
    assert written(brokers, values(200, 400)) == 200
    assert read(brokers, 400) == values(0, 400)

    brokers["kafka-2"].kill()
    assert written(brokers, ["refused"], seconds=10) == 0

    for name in ("kafka", "kafka-2"):
        brokers[name].start()
    wait_until(
        lambda: in_sync(brokers) == [replicas] * PARTITIONS, awaiting="all replicas", timeout_seconds=WAIT_SECONDS
    )
    assert written(brokers, values(400, 600)) == 200
    assert read(brokers, 600) == values(0, 600)
