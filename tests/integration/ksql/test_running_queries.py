"""Queries that run: ended, paused, skipping what is bad, forgetting what is old, and what the metrics say of them."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
import requests
from confluent_kafka.admin import AdminClient

from embedded.ksql.partitioning import partitioner
from embedded.ksql.runtime.topics import Topics
from pipeline.waiting import wait_until
from tests.integration.ksql.engine_case import SECONDS, Case
from tests.integration.ksql.engine_process import Servers
from tests.integration.ksql.topic import Reader, create_topic, write

DAY_MS = 86_400_000


def values(reader: Reader, count: int) -> list[Any]:
    return [json.loads(message.value() or b"") for message in reader.until(count)]


def test_a_paused_query_rests_while_others_go_on_and_misses_nothing(case: Case) -> None:
    resting, other = case.copy(f"{case.name}a"), case.copy(f"{case.name}b")
    case.write(1)
    case.await_metric("records_out_total", resting, 1)
    case.engine.execute(f"PAUSE {resting};")
    (shown,) = case.engine.execute("SHOW QUERIES;")
    assert next(query["state"] for query in shown["queries"] if query["id"] == resting) == "PAUSED"
    case.write(2, 3)
    case.await_metric("records_out_total", other, 3)
    assert case.metric("records_out_total", resting) == 1
    case.await_metric("lag_records", resting, 2)
    case.engine.execute(f"RESUME {resting};")
    assert [value["N"] for value in values(Reader(case.clients, f"{case.name}a"), 3)] == [1, 2, 3]


def test_terminate_ends_a_query_and_removes_its_state_but_not_what_it_wrote(case: Case, stack: Servers) -> None:
    name = f"{case.name}n"
    case.engine.execute(
        f"CREATE TABLE {name} WITH (KAFKA_TOPIC='{name}', PARTITIONS=1) AS "
        f"SELECT who, COUNT(*) AS c FROM {case.name} GROUP BY who;"
    )
    query_id = case.engine.query_id(name.upper())
    case.write(1, 2)
    case.await_metric("records_in_total", query_id, 2)
    topics = Topics(case.clients)
    mine = f"_confluent-ksql-{case.engine.service_id}query_{query_id}"
    assert any(topic.startswith(mine) for topic in topics.all(fresh=True))
    case.engine.execute(f"TERMINATE {query_id};")
    case.write(3)
    (shown,) = case.engine.execute("SHOW QUERIES;")
    assert query_id not in [query["id"] for query in shown["queries"]]
    assert f"ksql_query_records_in_total{{{query_id}}}" not in case.engine.metrics()
    wait_until(
        lambda: not any(topic.startswith(mine) for topic in topics.all(fresh=True)),
        awaiting="the changelog to be deleted",
        timeout_seconds=SECONDS,
    )
    groups = AdminClient({"bootstrap.servers": stack.kafka_bootstrap_servers}).list_consumer_groups().result(SECONDS)
    assert mine not in [group.group_id for group in groups.valid]
    assert values(Reader(case.clients, name), 1)[-1]["C"] in (1, 2)
    case.engine.execute(f"DROP TABLE {name};")


def test_closing_the_connection_of_a_push_query_ends_it(case: Case) -> None:
    before = case.engine.metrics()["ksql_push_queries{}"]
    body = {"sql": f"SELECT * FROM {case.name} EMIT CHANGES;", "properties": {"auto.offset.reset": "earliest"}}
    with requests.post(f"{case.engine.url}/query-stream", json=body, stream=True, timeout=SECONDS) as response:
        lines = response.iter_lines()
        assert json.loads(next(lines))["columnNames"] == ["WHO", "N"]
        case.write(7)
        assert json.loads(next(line for line in lines if line)) == ["a", 7]
        assert case.engine.metrics()["ksql_push_queries{}"] == before + 1
    wait_until(
        lambda: case.engine.metrics()["ksql_push_queries{}"] == before,
        awaiting="the push query to end",
        timeout_seconds=SECONDS,
    )


def test_a_record_that_cannot_be_decoded_is_skipped_counted_and_logged_with_its_place(case: Case) -> None:
    query_id = case.copy(f"{case.name}a")
    source = f"{case.name}-in"
    write(case.clients, source, [("a", {"n": 1}), ("a", b"{nonsense"), ("a", {"n": 3})])
    assert [value["N"] for value in values(Reader(case.clients, f"{case.name}a"), 2)] == [1, 3]
    case.await_metric("errors_total", query_id, 1)
    case.await_metric("records_in_total", query_id, 3)
    log = Reader(case.clients, f"{case.engine.service_id}ksql_processing_log")
    entry = logged(log, source)
    assert entry["message"]["type"] == 0
    assert query_id in entry["logger"]
    detail = entry["message"]["deserializationError"]
    assert (detail["target"], detail["partition"], detail["offset"]) == ("value", 0, 1)
    assert detail["errorMessage"]


def logged(log: Reader, topic: str) -> dict[str, Any]:
    """Return the first entry about a topic."""
    while True:
        for value in values(log, len(log.messages) + 1):
            if topic in json.dumps(value):
                entry: dict[str, Any] = value
                return entry


def test_metrics_count_records_rows_of_state_and_what_is_waiting(case: Case) -> None:
    name = f"{case.name}n"
    case.engine.execute(
        f"CREATE TABLE {name} WITH (KAFKA_TOPIC='{name}', PARTITIONS=1) AS "
        f"SELECT n, COUNT(*) AS c FROM {case.name} GROUP BY n;"
    )
    query_id = case.engine.query_id(name.upper())
    case.write(1, 2, 2, 3)
    case.await_metric("records_out_total", query_id, 4)
    assert case.metric("records_in_total", query_id) == 4
    assert case.metric("state_rows", query_id) == 3
    assert case.metric("lag_records", query_id) == 0
    assert case.metric("errors_total", query_id) == 0
    assert case.metric("commits_total", query_id) >= 1
    assert case.engine.metrics()[f"ksql_query_state{{{query_id},RUNNING}}"] == 1
    case.engine.execute(f"PAUSE {query_id};")
    case.write(4)
    case.engine.execute(f"RESUME {query_id};")
    case.await_metric("state_rows", query_id, 4)


def test_windows_past_their_retention_leave_the_state(case: Case) -> None:
    name = f"{case.name}w"
    case.engine.execute(
        f"CREATE STREAM {case.name}t (who STRING KEY, seen_at BIGINT) "
        f"WITH (KAFKA_TOPIC='{case.name}-in', VALUE_FORMAT='JSON', TIMESTAMP='seen_at');"
        f"CREATE TABLE {name} WITH (KAFKA_TOPIC='{name}', PARTITIONS=1, VALUE_FORMAT='JSON') AS SELECT who, "
        f"COUNT(*) AS c FROM {case.name}t WINDOW TUMBLING (SIZE 1 HOUR, RETENTION 1 DAY, GRACE PERIOD 0 SECONDS) "
        "GROUP BY who;"
    )
    query_id = case.engine.query_id(name.upper())
    write(case.clients, f"{case.name}-in", [(who, {"seen_at": DAY_MS}) for who in "abc"])
    case.await_metric("state_rows", query_id, 3)
    write(case.clients, f"{case.name}-in", [("a", {"seen_at": 10 * DAY_MS})])
    case.await_metric("state_rows", query_id, 1)


@pytest.mark.parametrize("is_http2", [True, False])
def test_a_push_query_streams_over_either_version_of_http(case: Case, *, is_http2: bool) -> None:
    body = {
        "sql": f"SELECT who, n FROM {case.name} EMIT CHANGES LIMIT 2;",
        "properties": {"auto.offset.reset": "earliest"},
    }
    with (
        httpx.Client(http1=not is_http2, http2=is_http2, timeout=SECONDS) as client,
        client.stream("POST", f"{case.engine.url}/query-stream", json=body) as response,
    ):
        assert (response.status_code, response.http_version) == (200, "HTTP/2" if is_http2 else "HTTP/1.1")
        lines = response.iter_lines()
        assert json.loads(next(lines))["columnNames"] == ["WHO", "N"]
        case.write(1, 2)
        assert [json.loads(line) for line in lines if line] == [["a", 1], ["a", 2]]


def test_a_partition_that_is_ahead_does_not_make_rows_of_another_late(case: Case) -> None:
    name, source = f"{case.name}p", f"{case.name}-two"
    create_topic(case.clients, source, 2)
    case.engine.execute(
        f"CREATE STREAM {case.name}two (who STRING KEY, seen_at BIGINT) "
        f"WITH (KAFKA_TOPIC='{source}', VALUE_FORMAT='JSON', TIMESTAMP='seen_at');"
        f"CREATE TABLE {name} WITH (KAFKA_TOPIC='{name}', PARTITIONS=1, VALUE_FORMAT='JSON') AS SELECT who, "
        f"COUNT(*) AS c FROM {case.name}two WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 0 SECONDS) GROUP BY who;"
    )
    query_id = case.engine.query_id(name.upper())
    choose = partitioner(2)
    ahead = next(who for who in "abcdef" if choose(who.encode()) == 0)
    behind = next(who for who in "abcdef" if choose(who.encode()) == 1)
    # Today's record keeps the segment, which the broker would delete for what is older than the windows' retention.
    today = time.time_ns() // 1_000_000 // DAY_MS
    for who, day in ((ahead, today), (behind, today - 9), (ahead, today - 9)):
        write(case.clients, source, [(who, {"seen_at": day * DAY_MS})])
    case.await_metric("records_in_total", query_id, 3)
    case.await_metric("records_out_total", query_id, 2)
    assert {message.key() for message in Reader(case.clients, name).until(2)} == {
        who.encode() + (day * DAY_MS).to_bytes(8, "big") for who, day in ((ahead, today), (behind, today - 9))
    }
