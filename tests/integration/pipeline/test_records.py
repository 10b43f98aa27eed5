"""Reading records as clients have written them."""

from __future__ import annotations

from confluent_kafka import Producer

from pipeline.clients.kafka import Kafka
from pipeline.clients.records import read_records, sent_at
from tests.conftest import Stack

MICROSECONDS = 1_795_000_000_000_000


def test_a_time_that_no_calendar_has_is_the_last_there_is(stack: Stack) -> None:
    kafka = Kafka({"bootstrap.servers": stack.kafka_bootstrap_servers})
    kafka.create_topic("t-times", 1, 1, {"message.timestamp.after.max.ms": str(2**63 - 1)})
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap_servers})
    for timestamp in (1, MICROSECONDS):
        producer.produce("t-times", b"", timestamp=timestamp)
    assert producer.flush(30) == 0
    messages = read_records(kafka.config, "t-times", {0: 0}, kafka.ends("t-times"))
    assert [sent_at(message).year for message in messages] == [1970, 9999]
