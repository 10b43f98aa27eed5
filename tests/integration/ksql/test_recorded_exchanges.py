"""Requests that a real ksqlDB 7.4.4 answered, sent again to the engine on real Kafka and a real registry."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from confluent_kafka.admin import AdminClient, NewTopic

from tests.conftest import Stack
from tests.integration.ksql.engine_process import engine_process
from tests.integration.ksql.exchanges import comparable, load_exchanges, send

#: What is answered otherwise, and why. embedded/ksql/README.md says the same to users.
EXCEPTIONS = {
    "err bad json": "the position is worded by another JSON parser",
    "err querystream missing sql": "the position is worded by another JSON parser",
    "err querystream badjson": "the position is worded by another JSON parser",
    "show topics": "other topics on that cluster",
    "show topics extended": "other topics on that cluster",
    "show all topics": "other topics on that cluster; changelogs are named after the engine's own stores",
    "show connectors": "not supported: there is no Connect behind the engine",
    "describe function": "the description is our own sentence",
    "explain statement": "the group of a query that does not run has no time in its name",
    "pull query sess scan": "the message names that server's address",
    "pull querystream sess scan": "the message names that server's address",
    **dict.fromkeys(
        (
            "push querystream tumb",
            "push querystream sess",
            "print topic",
            "print topic session",
            "recent push tumb",
            "recent push hop",
            "recent push sess v1",
            "recent push sess delim",
            "recent print tumb",
            "recent print sess",
        ),
        "which updates are there depends on the record cache's commits and on when the broker deletes old windows",
    ),
    "show queries after cor": "the server had timed out in between",
    "json sr": "not supported: JSON_SR",
    "json sr insert": "not supported: JSON_SR",
    "proto": "not supported: PROTOBUF",
    "proto insert": "not supported: PROTOBUF",
    "infer avro select": "records were written beside the API",
    "badjson select": "records were written beside the API",
    "badjson pull": "records were written beside the API",
    "pull eos": "records were written beside the API",
    "pull hav": "records were written beside the API",
}
#: The recorded server was overloaded here: its command topic did not answer.
TIMED_OUT = "Timeout while waiting for command topic consumer"
PULL_SECONDS = 5.0

INFERRED = {
    "type": "record",
    "name": "Inferred",
    "fields": [
        {"name": "userId", "type": "string"},
        {"name": "amount", "type": "int"},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
        {"name": "ts", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "f", "type": "float"},
        {"name": "uuid", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "bin", "type": "bytes"},
    ],
}


@pytest.fixture
def engine(stack: Stack, tmp_path: Path) -> Iterator[str]:
    """The base URL of an engine that has never seen a statement."""
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap_servers})
    for future in admin.create_topics([NewTopic(name, 1, 1) for name in ("demo_ext", "demo_badj")]).values():
        future.result(30)
    subject = f"{stack.schema_registry_url}/subjects/demo_ext-value/versions"
    requests.post(subject, json={"schema": json.dumps(INFERRED)}, timeout=30).raise_for_status()
    with engine_process(stack, "recorded_", tmp_path) as running:
        yield running.url


def test_recorded_exchanges_are_answered_as_ksqldb_did(engine: str, figure: Callable[[str], None]) -> None:
    exchanges = [exchange for exchange in load_exchanges() if TIMED_OUT not in json.dumps(exchange["body"])]
    same, different = 0, {}
    for exchange in exchanges:
        expected = exchange["status"], comparable(renamed(exchange["body"]))
        seconds = 0 if exchange["name"] in EXCEPTIONS else PULL_SECONDS
        answer = answered(engine, exchange["request"], expected, seconds)
        if answer == expected:
            same += 1
        elif exchange["name"] not in EXCEPTIONS:
            different[exchange["name"]] = (expected, answer)
    figure(f"recorded ksqlDB exchanges: {same} of {len(exchanges)} the same, the others listed with reasons")
    assert different == {}


def answered(engine: str, request: dict[str, Any], expected: tuple[int, Any], seconds: float) -> tuple[int, Any]:
    """Return the answer; a pull query is asked again while the rows it asks for are on their way."""
    deadline = time.monotonic() + seconds
    while True:
        status, text = send(engine, request)
        answer = status, comparable(text)
        is_pull = request["path"] in {"/query", "/query-stream"} and "EMIT CHANGES" not in json.dumps(request["body"])
        if answer == expected or not is_pull or time.monotonic() > deadline:
            return answer
        time.sleep(0.2)


def renamed(body: Any) -> Any:
    """Return the recorded answer with our service id, which topics and groups carry."""
    return json.loads(
        json.dumps(body)
        .replace("_confluent-ksql-default_", "_confluent-ksql-recorded_")
        .replace('"default_"', '"recorded_"')
    )
