"""Groups whose state is larger than what Kafka's clients and topics take by themselves."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from pipeline.waiting import wait_until
from tests.integration.ksql.engine_case import SECONDS, Case
from tests.integration.ksql.topic import Reader, write


@pytest.fixture
def texts(case: Case) -> str:
    """A stream of two records of one key that are together larger than 1 MiB, compressed too."""
    case.engine.execute(
        f"CREATE STREAM {case.name}x (who STRING KEY, text STRING) "
        f"WITH (KAFKA_TOPIC='{case.name}-in', VALUE_FORMAT='JSON');"
    )
    letters = [chr(code) for code in range(33, 127)]
    for seed in (1, 2):
        text = "".join(random.Random(seed).choices(letters, k=700_000))
        write(case.clients, f"{case.name}-in", [("a", {"text": text})])
    return f"{case.name}x"


@pytest.fixture
def sink(case: Case) -> Iterator[str]:
    """The name of a table; its query is ended."""
    name = f"{case.name}t"
    yield name
    case.engine.execute(f"TERMINATE {case.engine.query_id(name.upper())};")


def test_a_state_of_more_than_a_mebibyte_is_kept(case: Case, texts: str, sink: str) -> None:
    case.engine.execute(
        f"CREATE TABLE {sink} WITH (KAFKA_TOPIC='{sink}', PARTITIONS=1, VALUE_FORMAT='JSON') AS SELECT who, "
        f"ARRAY_LENGTH(COLLECT_LIST(text)) AS n FROM {texts} GROUP BY who;"
    )
    reader = Reader(case.clients, sink)
    counts = [json.loads(message.value() or b"")["N"] for message in reader.until(1)]
    if counts != [2]:
        counts = [json.loads(message.value() or b"")["N"] for message in reader.until(2)]
    assert counts in ([2], [1, 2])


@pytest.mark.parametrize("others", [0, 20_000])
def test_a_row_that_its_topic_does_not_take_ends_the_query_and_says_what_to_do(
    case: Case, texts: str, sink: str, others: int
) -> None:
    write(case.clients, f"{case.name}-in", [(f"k{number}", {"text": "x"}) for number in range(others)])
    case.engine.execute(
        f"CREATE TABLE {sink} WITH (KAFKA_TOPIC='{sink}', PARTITIONS=1, VALUE_FORMAT='JSON') AS SELECT who, "
        f"COLLECT_LIST(text) AS texts FROM {texts} GROUP BY who;"
    )
    query_id = case.engine.query_id(sink.upper())
    wait_until(
        lambda: case.engine.metrics()[f"ksql_query_state{{{query_id},ERROR}}"] == 1,
        awaiting="the query to end",
        timeout_seconds=SECONDS,
    )
    (explained,) = case.engine.execute(f"EXPLAIN {query_id};")
    (error,) = explained["queryDescription"]["queryErrors"]
    assert "Kafka refuses a record as too large" in error["errorMessage"]
    assert f"for topic {sink}: raise the topic's max.message.bytes" in error["errorMessage"]
    assert case.metric("restarts_total", query_id) == 0
