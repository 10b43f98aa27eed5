"""Commands of daily life against the session's stack, everything deployed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from functools import partial
from itertools import islice
from typing import Any

import psycopg
import pytest

from access.http import Endpoint
from pipeline.clients.connect import Connect
from pipeline.clients.http import HttpClient
from pipeline.clients.kafka import Kafka
from pipeline.clients.ksqldb import KsqlDb
from pipeline.errors import RejectedError, UnreachableError
from pipeline.exporter.sources import sources
from pipeline.settings import Location, load_settings
from pipeline.waiting import wait_until
from tests.conftest import ROOT, Stack, read_environment


def output(stack: Stack, *arguments: str) -> str:
    outcome = stack.pipeline(*arguments)
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout


def complaint(stack: Stack, *arguments: str) -> str:
    """Return the one line of a command that failed with exit code 1."""
    outcome = stack.pipeline(*arguments)
    assert outcome.returncode == 1, outcome.stdout
    (line,) = outcome.stderr.splitlines()
    return line


def test_the_status_is_healthy_and_shows_every_kind(deployed: Stack) -> None:
    document: dict[str, Any] = json.loads(output(deployed, "status", "--json"))
    assert document["ok"], document["problems"]
    assert [server["name"] for server in document["servers"]] == ["kafka", "registry", "connect", "postgres", "ksql"]
    assert {connector["name"] for connector in document["connectors"]} >= {"user-events", "users", "user-stats"}
    assert all(query["state"] == "RUNNING" for query in document["queries"])
    screen = output(deployed, "status")
    assert screen.rstrip().endswith("healthy")


def test_a_paused_connector_makes_the_status_exit_1_until_it_is_resumed(deployed: Stack) -> None:
    assert output(deployed, "connectors", "pause", "users") == "paused: users\n"
    try:
        outcome = deployed.pipeline("status")
        assert outcome.returncode == 1
        assert "unhealthy: connector users is PAUSED" in outcome.stdout
    finally:
        assert output(deployed, "connectors", "resume", "users") == "running: users\n"


def test_a_paused_query_keeps_no_deployment_from_ending_and_stays_paused(deployed: Stack) -> None:
    ksqldb = KsqlDb(Endpoint(deployed.ksqldb_url))
    name = next(query.id for query in ksqldb.queries() if "USER_STATS" in query.sinks)
    ksqldb.set_running(name, running=False)
    try:
        assert "nothing to do" in output(deployed, "deploy", "--timeout", "10")
        assert next(query.state for query in ksqldb.queries() if query.id == name) == "PAUSED"
    finally:
        ksqldb.set_running(name, running=True)


def test_a_database_query_is_one_statement_that_cannot_write(deployed: Stack) -> None:
    assert output(deployed, "db", "query", "--json", "SELECT 1 AS one;") == '{"one": 1}\n'
    several = deployed.pipeline("db", "query", "COMMIT; CREATE TABLE escaped (id int)")
    assert several.returncode == 2
    assert "one query at a time" in several.stderr
    assert "read-only transaction" in complaint(deployed, "db", "query", "CREATE TABLE escaped (id int)")
    assert "syntax error" in complaint(deployed, "db", "query", "SELEC 1")
    assert output(deployed, "db", "query", "--json", "SELECT to_regclass('escaped') AS t") == '{"t": null}\n'


def test_without_connect_the_exporter_still_judges_kafka_and_tells_no_lag(deployed: Stack) -> None:
    settings = load_settings(Location(state_dir=deployed.state_dir, project_dir=ROOT))
    assert sources(settings)["kafka"]() != []
    without_connect = settings.model_copy(update={"connect_url": "http://127.0.0.1:9"})
    assert sources(without_connect)["kafka"]() == []
    nothing = without_connect.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:9"})
    with pytest.raises(UnreachableError, match="Kafka does not answer"):
        sources(nothing)["kafka"]()


def test_a_topic_that_is_missing_is_one_line_with_the_next_step(deployed: Stack) -> None:
    kafka = Kafka({"bootstrap.servers": deployed.kafka_bootstrap_servers})
    for ask in (kafka.ends, kafka.starts, partial(kafka.committed, "connect-users")):
        with pytest.raises(RejectedError, match="Kafka has no topic nowhere; `pipeline deploy` creates"):
            ask("nowhere")


def test_an_address_where_something_else_answers_is_one_line_that_names_the_setting(deployed: Stack) -> None:
    address = read_environment(deployed.state_dir / "environment")["PIPELINE_CONNECT_METRICS_URL"]
    client = HttpClient(Endpoint(address), server="Kafka Connect", setting="PIPELINE_CONNECT")
    with pytest.raises(RejectedError, match=r"Connect answers GET http.* with no JSON; is PIPELINE_CONNECT_URL its"):
        client.get("")


def test_the_status_of_servers_elsewhere_says_which_do_not_answer(deployed: Stack) -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "pipeline", "status", "--json"],
        env={
            **deployed.environment,
            "PIPELINE_STATE_DIR": str(deployed.state_dir / "none"),
            "PIPELINE_KAFKA_BOOTSTRAP_SERVERS": deployed.kafka_bootstrap_servers,
            "PIPELINE_SCHEMA_REGISTRY_URL": deployed.schema_registry_url,
            "PIPELINE_CONNECT_URL": "http://127.0.0.1:9",
            "PIPELINE_KSQLDB_URL": deployed.ksqldb_url,
            "PIPELINE_POSTGRES_DSN": deployed.postgres_dsn,
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert outcome.returncode == 1, outcome.stderr
    document = json.loads(outcome.stdout)
    states = {server["name"]: server["state"] for server in document["servers"]}
    assert states == dict.fromkeys(("kafka", "registry", "postgres", "ksql"), "running") | {"connect": "unanswered"}
    assert len(document["problems"]) == 1
    assert "PIPELINE_CONNECT_URL" in document["problems"][0]


def test_watching_shows_the_screen_until_it_is_interrupted(deployed: Stack) -> None:
    watching = subprocess.Popen(
        [sys.executable, "-u", "-m", "pipeline", "status", "--watch", "--interval", "0.1"],
        env=deployed.environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    try:
        assert any(line == "healthy\n" for line in islice(watching.stdout, 5_000))
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=30)
        assert watching.returncode == 0
    finally:
        watching.kill()


def test_connectors_are_listed_shown_and_restarted(deployed: Stack) -> None:
    listed = output(deployed, "connectors", "list")
    assert "user-events" in listed
    assert "DeadLetterSinkConnector" in listed
    shown = output(deployed, "connectors", "show", "users")
    assert "task 0" in shown
    assert "${env:PG_PASSWORD}" in shown
    (document,) = json.loads(output(deployed, "connectors", "show", "users", "--json"))
    assert document["config"]["topics"] == "users,users.retry.users"
    assert output(deployed, "connectors", "restart", "users", "--only-failed") == "running: users\n"
    assert "useranalytics.connect.DeadLetterSinkConnector" in output(deployed, "connectors", "plugins").split()


def test_a_connector_that_failed_is_restarted_and_not_taken_for_what_it_was(deployed: Stack) -> None:
    refusal = "RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'not now'"
    with psycopg.connect(deployed.postgres_dsn, autocommit=True) as connection:
        connection.execute(
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refusal}; END $$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON users EXECUTE FUNCTION refuse()"
        )
        try:
            output(deployed, "produce", "--events", "20", "--users", "5")
            connect = Connect(Endpoint(deployed.connect_url))
            wait_until(
                lambda: (status := connect.status("users")) and status.failure,
                awaiting="the sink to fail",
                timeout_seconds=60,
            )
        finally:
            connection.execute("DROP TRIGGER refuse ON users; DROP FUNCTION refuse")
    assert output(deployed, "connectors", "restart", "users", "--only-failed") == "running: users\n"


def test_a_sinks_offsets_reach_the_end_of_its_topic(deployed: Stack) -> None:
    output(deployed, "produce", "--events", "200", "--seed", "7")
    waited = deployed.pipeline("verify", "--timeout", "60")
    assert waited.returncode == 0, waited.stdout
    positions = json.loads(output(deployed, "connectors", "offsets", "user-events", "--json"))
    assert sum(each["behind"] for each in positions if each["topic"] == "user-events") == 0
    assert "next offset" in output(deployed, "connectors", "offsets", "user-events")


def test_an_unknown_name_is_answered_with_those_that_there_are(deployed: Stack) -> None:
    assert "there is no connector nope; there are: dead-letters, user-events" in complaint(
        deployed, "connectors", "pause", "nope"
    )
    assert "there is no topic nope; `pipeline topics list`" in complaint(deployed, "topics", "show", "nope")
    assert "there is no subject nope; `pipeline schemas list`" in complaint(deployed, "schemas", "show", "nope")
    assert "there is no subject users-value with version 99; its versions are 1" in complaint(
        deployed, "schemas", "show", "users-value", "--version", "99"
    )
    unknown_query = complaint(deployed, "queries", "pause", "nope")
    assert "there is no query nope; there are: " in unknown_query
    assert "CTAS_USER_STATS_" in unknown_query


def test_naming_no_connector_or_too_many_ways_is_a_usage_error(deployed: Stack) -> None:
    assert deployed.pipeline("connectors", "pause").returncode == 2
    assert deployed.pipeline("connectors", "pause", "users", "--all").returncode == 2
    assert deployed.pipeline("status", "--watch", "--json").returncode == 2


def test_topics_are_listed_and_shown_with_what_is_set_on_them(deployed: Stack) -> None:
    listed = json.loads(output(deployed, "topics", "list", "--json"))
    users = next(topic for topic in listed if topic["name"] == "users")
    assert users["config"] == {"cleanup.policy": "compact"}
    assert len(users["partitions"]) == 4
    assert not any(topic["name"].startswith(("_", "connect-")) for topic in listed)
    assert "connect-configs" in output(deployed, "topics", "list", "--internal")
    assert "cleanup.policy" in output(deployed, "topics", "show", "users")
    (shown,) = json.loads(output(deployed, "topics", "show", "users", "--json"))
    assert shown == users


def test_schemas_are_listed_and_shown(deployed: Stack) -> None:
    subjects = {each["subject"]: each for each in json.loads(output(deployed, "schemas", "list", "--json"))}
    assert subjects["users-value"]["compatibility"] == "BACKWARD"
    assert "users-value" in output(deployed, "schemas", "list")
    assert json.loads(output(deployed, "schemas", "show", "users-value", "--version", "1"))["name"] == "User"


def test_queries_are_listed_shown_paused_and_resumed(deployed: Stack) -> None:
    queries = json.loads(output(deployed, "queries", "list", "--json"))
    stats = next(query["id"] for query in queries if "USER_STATS" in query["sinks"])
    assert stats in output(deployed, "queries", "list")
    assert output(deployed, "queries", "show", stats).startswith("CREATE")
    assert output(deployed, "queries", "pause", stats) == f"paused: {stats}\n"
    try:
        states = {each["id"]: each["state"] for each in json.loads(output(deployed, "queries", "list", "--json"))}
        assert states[stats] == "PAUSED"
    finally:
        assert output(deployed, "queries", "resume", stats) == f"running: {stats}\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pipeline connectors pause user-e", "user-events"),
        ("pipeline topics show dlq.user-e", "dlq.user-events"),
        ("pipeline schemas show users-v", "users-value"),
        ("pipeline --profile do", "docker docker-cluster"),
        ("pipeline con", "config connectors"),
    ],
)
def test_the_shell_completes_commands_and_the_names_that_servers_know(
    deployed: Stack, words: str, expected: str
) -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "pipeline"],
        env={
            **deployed.environment,
            "_PIPELINE_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert completed.stdout.split() == [f"plain,{word}" for word in expected.split()]


def test_completion_prints_the_script_of_a_shell(deployed: Stack) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_PIPELINE_COMPLETE" in output(deployed, "completion", shell)
    assert deployed.pipeline("completion", "tcsh").returncode == 2
