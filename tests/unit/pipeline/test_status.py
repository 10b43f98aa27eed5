from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime

from rich.console import Console

from pipeline.clients.connect import ConnectorStatus, TaskStatus, first_cause
from pipeline.clients.ksqldb import RunningQuery
from pipeline.declared.connectors import subscribed
from pipeline.observe.database import DatabaseLook, LastVerify, WaitingLetters
from pipeline.observe.lags import TopicLag
from pipeline.observe.status import ConnectorLook, QueryLook, Status
from pipeline.report.connectors import masked
from pipeline.report.status import render_status, status_json

RUNNING = ConnectorStatus("users", "RUNNING", None, (TaskStatus(0, "RUNNING", None),))
FAILED = replace(RUNNING, tasks=(TaskStatus(0, "FAILED", "no table"), TaskStatus(1, "RUNNING", None)))
LAG = TopicLag("users", 1234, 8.4)
HEALTHY = Status(
    servers=[],
    connectors=[ConnectorLook(RUNNING, [TopicLag("users", 0, 0.0)])],
    queries=[QueryLook(RunningQuery("CTAS_1", ("STATS",), "RUNNING"), [])],
    database=DatabaseLook([], LastVerify(datetime.now(UTC), ok=True, differences={})),
)


def rendered(status: Status) -> str:
    console = Console(file=io.StringIO(), width=100)
    console.print(render_status(status))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_status_without_problems_is_healthy() -> None:
    assert HEALTHY.ok
    assert "healthy" in rendered(HEALTHY)
    assert " ago: exact" in rendered(HEALTHY)


def test_a_failed_task_is_named_with_its_error() -> None:
    status = replace(HEALTHY, connectors=[ConnectorLook(FAILED, None)])
    assert status.problems == ["connector users, task 0 is FAILED: no table"]
    assert "unhealthy: connector users, task 0 is FAILED: no table" in rendered(status)
    assert "1 of 2" in rendered(status)


def test_a_paused_connector_is_one_problem_and_not_one_a_task() -> None:
    paused = ConnectorStatus("users", "PAUSED", None, (TaskStatus(0, "PAUSED", None),))
    assert replace(HEALTHY, connectors=[ConnectorLook(paused, [])]).problems == [
        "connector users is PAUSED; `pipeline connectors resume users` lets it go on"
    ]


def test_a_stopped_connector_is_left_behind_and_the_next_deployment_is_the_remedy() -> None:
    left = ConnectorStatus("users", "STOPPED", None, ())
    (problem,) = replace(HEALTHY, connectors=[ConnectorLook(left, [])]).problems
    assert problem.startswith("connector users is STOPPED: a deployment or restart is at it, or was cut short")
    assert "`pipeline deploy`" in problem


def test_a_connector_without_tasks_is_unhealthy() -> None:
    idle = ConnectorStatus("users", "RUNNING", None, ())
    assert replace(HEALTHY, connectors=[ConnectorLook(idle, [])]).problems == ["connector users has no tasks"]


def test_a_query_that_stopped_is_unhealthy() -> None:
    stopped = QueryLook(RunningQuery("CTAS_1", ("STATS",), "ERROR"), None)
    assert replace(HEALTHY, queries=[stopped]).problems == ["query CTAS_1 is ERROR"]


def test_a_server_that_does_not_answer_is_said_once_in_its_own_words() -> None:
    status = replace(HEALTHY, unanswered={"connect": "Kafka Connect does not answer"})
    assert status.problems == ["Kafka Connect does not answer"]


def test_differences_of_the_last_verify_are_unhealthy_and_dead_letters_alone_are_not() -> None:
    letters = [WaitingLetters("users", f"reason {number}", 7 - number) for number in range(7)]
    waiting = replace(HEALTHY, database=DatabaseLook(letters, None))
    assert waiting.ok
    assert "2 more reasons: `pipeline dlq stats`" in rendered(waiting)
    found = LastVerify(datetime.now(UTC), ok=False, differences={"missing": 3, "unexpected": 0})
    assert replace(HEALTHY, database=DatabaseLook([], found)).problems == [
        "the last verify found differences: 3 missing; `pipeline verify` says which"
    ]


def test_the_lag_of_the_topic_that_is_most_behind_comes_first() -> None:
    lags = [TopicLag("users.retry.users", 3, 1.0), LAG]
    lines = rendered(replace(HEALTHY, connectors=[ConnectorLook(RUNNING, lags)])).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("users "))
    assert lines[first].split()[-3:] == ["1,234", "8", "users"]
    assert lines[first + 1].split() == ["3", "1", "users.retry.users"]


def test_the_document_keeps_the_contract() -> None:
    document = json.loads(status_json(replace(HEALTHY, connectors=[ConnectorLook(FAILED, [LAG])])))
    assert document["ok"] is False
    (connector,) = document["connectors"]
    assert connector["tasks"][0] == {"id": 0, "state": "FAILED", "error": "no table"}
    assert (connector["name"], connector["state"], connector["lag_records"]) == ("users", "RUNNING", 1234)
    assert connector["topics"] == [{"topic": "users", "lag_records": 1234, "lag_seconds": 8.4}]


def test_the_cause_of_a_failed_task_is_found_below_the_workers_own_words() -> None:
    trace = (
        "o.a.k.ConnectException: Exiting WorkerSinkTask due to unrecoverable exception.\n\tat x.y(Z.java)\n"
        "Caused by: o.a.k.ConnectException: table nowhere does not exist\n\tat x.y(Z.java)\nCaused by: java.Deep: x"
    )
    assert first_cause(trace) == "o.a.k.ConnectException: table nowhere does not exist"
    assert first_cause("java.Other: bad\n\tat x") == "java.Other: bad"
    assert first_cause("x: Exiting WorkerSinkTask\n\tat x") == "x: Exiting WorkerSinkTask"
    assert first_cause(None) is None


def test_a_sink_reads_its_topics_and_those_that_match_its_pattern() -> None:
    there = ["a", "b", "dlq.a", "dlq.b"]
    assert subscribed({"topics": "a, gone"}, there) == {"a"}
    assert subscribed({"topics.regex": r"dlq\..+"}, there) == {"dlq.a", "dlq.b"}
    assert subscribed({}, there) == set()


def test_secrets_of_a_connector_are_masked_and_references_are_not() -> None:
    config = {
        "connection.password": "hunter2",
        "database.password": "${env:PG_PASSWORD}",
        "sasl.jaas.config": "user=x",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter.basic.auth.user.info": "sink:hunter2",
        "value.converter.schema.registry.ssl.keystore.key": "-----BEGIN PRIVATE KEY-----",
        "primary.key.fields": "id",
        "topics": "a",
    }
    hidden = {name for name, value in masked(config).items() if value == "********"}
    assert hidden == {
        "connection.password",
        "sasl.jaas.config",
        "value.converter.basic.auth.user.info",
        "value.converter.schema.registry.ssl.keystore.key",
    }
    assert {**config, **masked(config)} == masked(config)
    assert masked({"password": "${env:PG_PASSWORD}"}) == {"password": "${env:PG_PASSWORD}"}
