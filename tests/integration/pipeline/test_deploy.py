"""Deploying to real servers: what is there afterwards, that a second run has nothing to do, and what is refused.

Each test deploys small projects of its own, recorded in a database of its own on the session's server.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from confluent_kafka import Producer
from pydantic import SecretStr

from access.http import Endpoint
from pipeline.clients.connect import Connect
from pipeline.clients.kafka import Kafka
from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.files import Files
from pipeline.declared.project import read_project
from pipeline.deploy.all import Outcome, Waits, deploy
from pipeline.deploy.lock import deployment_lock
from pipeline.deploy.rollback import choose, files_of, read_deployments
from pipeline.errors import DeclarationError, DriftError, RejectedError, SettingsError, StoppedError, UnreachableError
from pipeline.plan.bookkeeping import Deployment
from pipeline.plan.change import KINDS, Difference, Kind
from pipeline.plan.compare import Options
from pipeline.plan.plan import Plan, make_plan
from pipeline.plan.saved import load_plan, save_plan
from pipeline.plan.servers import servers_of
from pipeline.settings import Location, Settings, load_stack_settings
from pipeline.waiting import wait_until
from tests.conftest import ROOT, Stack
from tests.databases import new_database

SINK = {
    "connector.class": "useranalytics.connect.DeadLetterSinkConnector",
    "delegate.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
    "tasks.max": "1",
    "topics": "d-users",
    "collection.name.format": "d_users",
    "connection.url": "${env:PG_JDBC_URL}",
    "connection.username": "${env:PG_USER}",
    "connection.password": "${env:PG_PASSWORD}",
    "insert.mode": "upsert",
    "primary.key.mode": "record_value",
    "primary.key.fields": "user_id",
}


@dataclass(frozen=True)
class Desk:
    """Deploys texts to the session's servers, with tables and records in a database of its own."""

    settings: Settings
    dsn: str

    def plan(self, texts: dict[str, str], *kinds: Kind) -> Plan:
        return make_plan(files(texts), servers_of(self.settings), Options(kinds))

    def history(self) -> list[Deployment]:
        return read_deployments(SecretStr(self.dsn))

    def deploy(
        self, texts: dict[str, str], *kinds: Kind, shown: Plan | None = None, wait: float = 30, prune: bool = False
    ) -> list[Outcome]:
        waits = Waits(healthy_seconds=60, lock_seconds=wait)
        return list(deploy(files(texts), self.settings, Options(kinds, prune=prune), waits=waits, shown=shown))

    def actions(self, texts: dict[str, str], *kinds: Kind, prune: bool = False) -> list[str]:
        changes = [outcome.change for outcome in self.deploy(texts, *kinds, prune=prune)]
        return [change.action for change in sorted(changes, key=lambda change: KINDS.index(change.kind))]

    def rows(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query.encode()).fetchall()


def files(texts: dict[str, str]) -> Files:
    return Files({Path(path): text for path, text in {"topics.yaml": "{}", **texts}.items()})


@pytest.fixture
def desk(stack: Stack) -> Iterator[Desk]:
    settings = load_stack_settings(Location(state_dir=stack.state_dir, project_dir=ROOT))
    with new_database(stack) as dsn:
        yield Desk(settings.model_copy(update={"postgres_dsn": SecretStr(dsn)}), dsn)
        connect = Connect(settings.connect)
        if "d-users" in connect.names():
            connect.delete("d-users")
        kafka = Kafka(settings.kafka_config())
        if "d-users" in kafka.partitions():
            kafka.delete_topic("d-users")


@pytest.fixture
def kafka(stack: Stack) -> Kafka:
    return Kafka({"bootstrap.servers": stack.kafka_bootstrap_servers})


def topic(name: str, partitions: int = 2, **config: str) -> dict[str, str]:
    settings = {key.replace("_", "."): value for key, value in config.items()}
    return {"topics.yaml": json.dumps({name: {"doc": "for a test", "partitions": partitions, "config": settings}})}


def test_a_topic_is_created_once_and_its_settings_follow_the_file(desk: Desk, kafka: Kafka) -> None:
    assert desk.actions(topic("t-follow", retention_ms="1000"), "topic") == ["create"]
    assert desk.actions(topic("t-follow", retention_ms="1000"), "topic") == ["unchanged"]
    (changed,) = desk.deploy(topic("t-follow", retention_ms="2000"), "topic")
    assert changed.change.detail == "retention.ms: 1000 → 2000"
    assert kafka.partitions()["t-follow"] == 2
    assert kafka.topic_config("t-follow")["retention.ms"] == "2000"


def test_a_setting_that_is_declared_no_longer_goes_back_to_the_default(desk: Desk, kafka: Kafka) -> None:
    desk.deploy(topic("t-back", retention_ms="1000"), "topic")
    (changed,) = desk.deploy(topic("t-back"), "topic")
    assert changed.change.consequences == ("retention.ms goes back to the cluster's default",)
    assert kafka.topic_config("t-back")["retention.ms"] == "604800000"
    assert desk.actions(topic("t-back", retention_ms="604800000"), "topic") == ["unchanged"]


def test_another_number_of_partitions_is_refused_with_the_reason(desk: Desk) -> None:
    desk.deploy(topic("t-partitions"), "topic")
    with pytest.raises(RejectedError, match=r"has 2 partitions, topics.yaml says 3: with another number, keys"):
        desk.deploy(topic("t-partitions", partitions=3), "topic")


@pytest.mark.parametrize("existing", [False, True])
def test_a_setting_that_kafka_does_not_know_is_refused_before_anything_changes(desk: Desk, existing: bool) -> None:
    name = f"t-bad-{existing}"
    if existing:
        desk.deploy(topic(name), "topic")
    (change,) = desk.plan(topic(name, no_such="1"), "topic").changes
    assert change.refusal is not None
    assert "no.such" in change.refusal
    with pytest.raises(RejectedError, match=r"nothing was changed: .*no\.such"):
        desk.deploy(topic(name, no_such="1"), "topic")


def schema(subject: str, *fields: dict[str, object]) -> dict[str, str]:
    return {f"schemas/{subject}.avsc": json.dumps({"type": "record", "name": "Sample", "fields": list(fields)})}


def test_a_schema_evolves_backward_and_nothing_else(desk: Desk, stack: Stack) -> None:
    old = schema("sample-value", {"name": "a", "type": "int"})
    evolved = schema(
        "sample-value", {"name": "a", "type": "int"}, {"name": "b", "type": ["null", "int"], "default": None}
    )
    breaking = schema("sample-value", {"name": "a", "type": "int"}, {"name": "c", "type": "int"})
    actions = [desk.actions(version, "schema")[0] for version in (old, old, evolved, evolved)]
    assert actions == ["create", "unchanged", "update", "unchanged"]
    assert SchemaRegistry(Endpoint(stack.schema_registry_url)).compatibility("sample-value") == "BACKWARD"
    with pytest.raises(RejectedError, match=r"not BACKWARD compatible .*Give new fields a default"):
        desk.deploy(breaking, "schema")


def test_a_stream_gains_the_fields_of_a_schema_that_was_deployed_before_it(desk: Desk) -> None:
    source = "CREATE STREAM t_fields WITH (KAFKA_TOPIC='t-fields', VALUE_FORMAT='AVRO');"
    texts = {**topic("t-fields"), "ksql/01_t_fields.sql": source}
    old = {**texts, **schema("t-fields-value", {"name": "a", "type": "int"})}
    amount = {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}
    new: dict[str, object] = {"name": "b", "type": amount, "default": ""}
    evolved = {**texts, **schema("t-fields-value", {"name": "a", "type": "int"}, new)}
    assert desk.actions(old, "topic", "schema", "ksql") == ["create", "create", "create"]
    assert desk.actions(evolved, "schema") == ["update"]
    for kinds in (("ksql",), ("topic", "schema", "ksql")):
        change = desk.plan(evolved, *kinds).changes[-1]
        assert (change.action, change.differences) == ("update", (Difference("column B", None, "DECIMAL(12, 2)"),))
    desk.deploy(evolved, "topic", "schema", "ksql")
    assert not desk.plan(evolved, "topic", "schema", "ksql").has_changes
    assert not desk.plan(evolved, "ksql").has_changes


def table(body: str, name: str = "t_one") -> dict[str, str]:
    return {f"sql/01_{name}.sql": f"-- One row: for a test.\n{body}"}


def migration(name: str, body: str) -> dict[str, str]:
    return {f"sql/migrations/{name}.sql": body}


def test_a_changed_script_says_what_it_changes_and_is_run_once(desk: Desk) -> None:
    create = table("CREATE TABLE IF NOT EXISTS t_one (a int);")
    alter = table("CREATE TABLE IF NOT EXISTS t_one (a int);\nALTER TABLE t_one ADD COLUMN IF NOT EXISTS b text;")
    changes = [desk.deploy(script, "table")[0].change for script in (create, create, alter, alter)]
    assert [change.action for change in changes] == ["create", "unchanged", "update", "unchanged"]
    assert changes[2].detail == "column t_one.b"
    assert changes[2].consequences == ("t_one.b: existing rows keep NULL or take its default",)


def test_a_view_and_a_function_follow_their_script(desk: Desk) -> None:
    def script(number: int) -> dict[str, str]:
        return table(
            f"CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT {number}';\n"
            f"CREATE OR REPLACE VIEW two AS SELECT one() * {number} AS two;"
        )

    desk.deploy(script(1), "table")
    (changed,) = desk.deploy(script(2), "table")
    assert [difference.key for difference in changed.change.differences] == ["function one()", "view two"]
    assert desk.rows("SELECT two FROM two") == [(4,)]
    assert desk.actions(script(2), "table") == ["unchanged"]


def test_what_create_if_not_exists_leaves_undone_needs_a_migration(desk: Desk) -> None:
    desk.deploy(table("CREATE TABLE IF NOT EXISTS t_one (a int);"), "migration", "table")
    wider = table("CREATE TABLE IF NOT EXISTS t_one (a bigint);")
    with pytest.raises(RejectedError, match=r"column t_one\.a: it is integer, declared bigint\. .*sql/migrations/NNNN"):
        desk.deploy(wider, "migration", "table")
    widened = {**wider, **migration("0001_widen_a", "ALTER TABLE t_one ALTER COLUMN a TYPE bigint;")}
    assert desk.actions(widened, "migration", "table") == ["create", "unchanged"]
    assert desk.actions(widened, "migration", "table") == ["unchanged", "unchanged"]
    edited = {**wider, **migration("0001_widen_a", "SELECT 1;")}
    with pytest.raises(RejectedError, match="was changed after it ran; put it back, and write a new migration"):
        desk.deploy(edited, "migration", "table")
    late = {**widened, **migration("0000_late", "SELECT 1;")}
    with pytest.raises(RejectedError, match="sorts before 0001_widen_a, which has run already"):
        desk.deploy(late, "migration", "table")


def test_a_new_database_gets_its_tables_as_declared_and_its_migrations_as_done(desk: Desk) -> None:
    texts = {
        **table("CREATE TABLE IF NOT EXISTS t_one (a bigint);"),
        **migration("0001_widen_a", "ALTER TABLE t_one ALTER COLUMN a TYPE bigint;"),
    }
    assert desk.actions(texts, "migration", "table") == ["create", "create"]
    assert desk.rows("SELECT name, ran FROM deployment.migrations") == [("0001_widen_a", False)]
    assert desk.actions(texts, "migration", "table") == ["unchanged", "unchanged"]


def test_a_column_that_is_declared_nowhere_is_drift_that_a_migration_takes_away(desk: Desk) -> None:
    one = table("CREATE TABLE IF NOT EXISTS t_one (a int);")
    desk.deploy(one, "migration", "table")
    with psycopg.connect(desk.dsn) as connection:
        connection.execute("ALTER TABLE t_one ADD COLUMN b int CHECK (b > 0)")
    (drifted,) = desk.plan(one, "table").changes
    assert drifted.action == "drift"
    assert [difference.key for difference in drifted.differences] == [
        "column t_one.b",
        "constraint t_one.t_one_b_check",
    ]
    assert desk.actions(one, "table") == ["drift"]
    dropped = {**one, **migration("0001_drop_b", "ALTER TABLE t_one DROP COLUMN b;")}
    assert desk.actions(dropped, "migration", "table") == ["create", "unchanged"]


def test_a_migration_that_takes_too_long_to_be_tried_is_run_all_the_same(desk: Desk) -> None:
    desk.deploy(table("CREATE TABLE IF NOT EXISTS t_one (a int);"), "migration", "table")
    slow = {
        **table("CREATE TABLE IF NOT EXISTS t_one (a bigint);"),
        **migration(
            "0001_slow",
            # Only in a trial is a limit set: it is brought near.
            "SELECT set_config('statement_timeout', '1ms', true) WHERE current_setting('statement_timeout') <> '0';\n"
            "SELECT pg_sleep(0.2);\nALTER TABLE t_one ALTER COLUMN a TYPE bigint;",
        ),
    }
    plan = desk.plan(slow, "migration", "table")
    assert plan.refusals == []
    assert "takes too long to be tried" in plan.changes[0].consequences[1]
    desk.deploy(slow, "migration", "table")
    assert not desk.plan(slow, "migration", "table").has_changes


def test_a_migration_that_fails_leaves_nothing_of_itself(desk: Desk) -> None:
    one = table("CREATE TABLE IF NOT EXISTS t_one (a int);")
    desk.deploy(one, "migration", "table")
    broken = {**one, **migration("0001_broken", "DROP TABLE t_one;\nSELECT 1/0;")}
    with pytest.raises(RejectedError, match=r"sql/migrations/0001_broken\.sql:\d: division by zero"):
        desk.deploy(broken, "migration", "table")
    assert desk.rows("SELECT count(*) FROM t_one") == [(0,)]


def test_a_plan_commits_nothing_of_a_script_that_would_commit_itself(desk: Desk) -> None:
    with pytest.raises(DeclarationError, match=r"sql/01_t_one\.sql:3: COMMIT does not belong here"):
        desk.plan(table("CREATE TABLE IF NOT EXISTS t_one (a int);\nCOMMIT;"), "table")
    assert desk.rows("SELECT to_regclass('t_one'), to_regnamespace('pipeline_trial')") == [(None, None)]


def test_a_script_that_postgresql_refuses_is_named_with_its_line(desk: Desk) -> None:
    with pytest.raises(RejectedError, match=r"sql/01_t_two\.sql:4: type \"nonsense\" does not exist"):
        desk.deploy(table("CREATE TABLE IF NOT EXISTS t_two (\n  a int,\n  b nonsense\n);", "t_two"), "table")


def test_a_plan_waits_for_no_lock_that_a_session_holds_on_an_unchanged_table(desk: Desk) -> None:
    one = table("CREATE TABLE IF NOT EXISTS t_one (a int);\nCREATE OR REPLACE VIEW v AS SELECT a FROM t_one;")
    desk.deploy(one, "table")
    more = table("CREATE TABLE IF NOT EXISTS t_one (a int);\nCREATE OR REPLACE VIEW v AS SELECT a, 1 AS b FROM t_one;")
    with psycopg.connect(desk.dsn) as session:
        session.execute("SELECT * FROM v")
        assert not desk.plan(one, "table").has_changes
        assert desk.plan(more, "table").refusals == [
            "sql/01_t_one.sql:1: another session holds a lock on its tables; try again"
        ]


def connector(**changes: str) -> dict[str, str]:
    config = {**SINK, **{key.replace("_", "."): value for key, value in changes.items()}}
    return {"connectors/d-users.json": json.dumps(config)}


def test_an_unknown_connector_class_lists_the_installed_ones(desk: Desk) -> None:
    with pytest.raises(RejectedError, match=r"com\.example\.Nothing is not installed; there are: .*JdbcSinkConnector"):
        desk.deploy(connector(connector_class="com.example.Nothing"), "connector")


def test_a_setting_that_the_worker_refuses_is_named_before_anything_changes(desk: Desk, stack: Stack) -> None:
    (refusal,) = desk.plan(connector(tasks_max="many"), "connector").refusals
    assert "tasks.max" in refusal
    assert Connect(Endpoint(stack.connect_url)).config("d-users") is None


def test_a_connector_is_created_changed_by_somebody_else_put_back_and_pruned(desk: Desk, stack: Stack) -> None:
    connect = Connect(Endpoint(stack.connect_url))
    texts = {**topic("d-users"), **connector()}
    assert desk.actions(texts, "topic", "connector") == ["create", "create"]
    assert not desk.plan(texts, "topic", "connector").has_changes
    connect.put("d-users", {**SINK, "name": "d-users", "batch.size": "7", "connection.password": "hunter2"})
    change = next(one for one in desk.plan(texts, "connector").changes if one.name == "d-users")
    shown = {difference.key: (difference.before, difference.after) for difference in change.differences}
    assert shown == {"batch.size": ("7", None), "connection.password": ("••••••", "${env:PG_PASSWORD}")}
    assert "restarts 1 task" in change.consequences
    desk.deploy(texts, "connector")
    assert connect.config("d-users") == {**SINK, "name": "d-users"}
    nothing: dict[str, str] = {}
    assert desk.actions(nothing, "topic", "connector") == ["keep", "keep"]
    assert desk.actions(nothing, "topic", "connector", prune=True) == ["delete", "delete"]
    assert connect.config("d-users") is None
    assert "d-users" not in Kafka(desk.settings.kafka_config()).partitions()


def test_a_connector_that_failed_runs_when_its_file_is_corrected_and_fails_when_it_is_not(desk: Desk) -> None:
    broken = {"consumer_override_isolation_level": "none"}
    with pytest.raises(StoppedError, match="connector d-users FAILED"):
        desk.deploy({**topic("d-users"), **connector(**broken)}, "topic", "connector")
    with pytest.raises(StoppedError, match="connector d-users FAILED"):
        desk.deploy({**topic("d-users"), **connector(**broken, batch_size="7")}, "topic", "connector")
    assert desk.actions({**topic("d-users"), **connector()}, "topic", "connector") == ["unchanged", "update"]


def test_a_connector_that_runs_is_not_taken_for_running_when_its_new_settings_fail(desk: Desk) -> None:
    desk.deploy({**topic("d-users"), **connector()}, "topic", "connector")
    with pytest.raises(StoppedError, match="connector d-users FAILED"):
        desk.deploy({**topic("d-users"), **connector(consumer_override_isolation_level="none")}, "topic", "connector")


def test_a_connector_that_failed_for_want_of_something_is_started_again_when_that_is_deployed(
    desk: Desk, stack: Stack
) -> None:
    json_values = connector(value_converter="org.apache.kafka.connect.json.JsonConverter")
    desk.deploy({**topic("d-users", retention_ms="1000000"), **json_values}, "topic", "connector")
    schema = {"type": "struct", "fields": [{"field": "user_id", "type": "string", "optional": False}]}
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap_servers})
    producer.produce("d-users", json.dumps({"schema": schema, "payload": {"user_id": "u"}}))
    assert producer.flush(30) == 0
    connect = Connect(Endpoint(stack.connect_url))
    wait_until(
        lambda: (status := connect.status("d-users")) and status.failure,
        awaiting="the connector to miss its table",
        timeout_seconds=60,
    )
    with psycopg.connect(stack.postgres_dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE d_users (user_id text PRIMARY KEY)")
        try:
            changed = {**topic("d-users", retention_ms="2000000"), **json_values}
            assert desk.actions(changed, "topic", "connector") == ["update", "unchanged"]
        finally:
            connection.execute("DROP TABLE d_users")


def test_what_somebody_else_made_is_never_pruned(desk: Desk, kafka: Kafka) -> None:
    kafka.create_topic("t-foreign", 2, 1, {"retention.ms": "1000"})
    assert desk.actions(topic("t-foreign", retention_ms="2000"), "topic") == ["update"]
    assert desk.actions({}, "topic", prune=True) == []
    assert "t-foreign" in kafka.partitions()


def test_a_saved_plan_is_carried_out_as_shown_or_not_at_all(desk: Desk, kafka: Kafka, tmp_path: Path) -> None:
    texts = topic("t-saved", retention_ms="1000")
    save_plan(desk.plan(texts, "topic"), tmp_path / "plan.json")
    shown = load_plan(tmp_path / "plan.json")
    kafka.create_topic("t-saved", 2, 1, {})
    with pytest.raises(DriftError, match="something has changed since this plan was made: topic t-saved"):
        desk.deploy(texts, "topic", shown=shown)
    save_plan(desk.plan(texts, "topic"), tmp_path / "plan.json")
    (outcome,) = desk.deploy(texts, "topic", shown=load_plan(tmp_path / "plan.json"))
    assert outcome.change.action == "update"


def test_a_deployment_that_fails_says_what_is_left_and_is_recorded_as_failed(desk: Desk) -> None:
    texts = {
        **topic("t-stopped"),
        **table("CREATE TABLE IF NOT EXISTS t_one (a int);"),
        **connector(topics="t-stopped", consumer_override_isolation_level="none"),
    }
    outcomes: list[Outcome] = []
    with pytest.raises(StoppedError, match=r"connector d-users FAILED: .* 2 of 3 changes are done.*pipeline rollback"):
        # Taken one by one, as they come before it stops.
        outcomes.extend(deploy(files(texts), desk.settings, Options(("topic", "table", "connector"))))
    assert [(one.change.kind, one.state) for one in outcomes] == [
        ("topic", "done"),
        ("table", "done"),
        ("connector", "left"),
    ]
    assert desk.rows("SELECT outcome FROM deployment.history") == [("failed",)]


def test_a_second_deployment_waits_for_the_first_or_is_refused(desk: Desk) -> None:
    with psycopg.connect(desk.dsn, autocommit=True) as first:
        with (
            deployment_lock(first, 1),
            pytest.raises(RejectedError, match=r"another deployment is running: pipeline dep"),
        ):
            desk.deploy(topic("t-second"), "topic", wait=0.1)
        results: list[list[Outcome]] = []
        with deployment_lock(first, 1):
            second = threading.Thread(target=lambda: results.append(desk.deploy(topic("t-second"), "topic")))
            second.start()
        second.join(timeout=60)
    assert [outcome.change.action for outcome in results[0]] == ["create"]


def test_rollback_goes_back_to_the_files_that_were_deployed_before(desk: Desk, kafka: Kafka) -> None:
    assert desk.history() == []
    desk.deploy(topic("t-rolled", retention_ms="1000"), "topic")
    with pytest.raises(SettingsError, match="there is no earlier deployment"):
        choose(desk.history(), None)
    desk.deploy(topic("t-rolled", retention_ms="2000"), "topic")
    assert [one.outcome for one in desk.history()] == ["deployed", "deployed"]
    previous = choose(desk.history(), None)
    list(deploy(files_of(SecretStr(desk.dsn), previous), desk.settings, Options(("topic",))))
    assert kafka.topic_config("t-rolled")["retention.ms"] == "1000"
    assert choose(desk.history(), previous.id) == previous
    with pytest.raises(SettingsError, match="there is no deployment 99"):
        choose(desk.history(), 99)


def test_a_server_that_is_not_there_is_named_with_its_setting() -> None:
    with pytest.raises(UnreachableError, match=r"Kafka Connect does not answer at .* PIPELINE_CONNECT_URL"):
        Connect(Endpoint("http://127.0.0.1:9")).names()
    with pytest.raises(UnreachableError, match=r"Kafka does not answer at .* PIPELINE_KAFKA_BOOTSTRAP_SERVERS"):
        Kafka({"bootstrap.servers": "127.0.0.1:9"}).partitions()


def test_the_command_line_deploys_and_then_has_nothing_to_do(stack: Stack) -> None:
    kinds = ("--only", "topic", "--only", "schema", "--only", "table", "--only", "connector")
    first = stack.pipeline("deploy", *kinds)
    assert first.returncode == 0, first.stderr
    again = stack.pipeline("deploy", *kinds)
    assert again.returncode == 0, again.stderr
    declared = read_project(ROOT)
    number = len(declared.topics) + len(declared.schemas) + len(declared.sql) + len(declared.connectors)
    assert f"nothing to do: all {number} declarations are deployed as they stand" in again.stdout
    planned = stack.pipeline("plan", *kinds, "--fail-on-changes", "--json")
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["has_changes"] is False


def test_a_plan_exits_3_on_changes_and_1_on_what_cannot_be_deployed(stack: Stack, project_dir: Path) -> None:
    users = project_dir / "connectors" / "users.json"
    users.write_text(users.read_text(encoding="utf-8").replace('"2000"', '"1000"'), encoding="utf-8")
    stack.pipeline("deploy", "--only", "topic", "--only", "connector")
    arguments = ("--project", str(project_dir), "plan", "--only", "connector")
    changed = stack.pipeline(*arguments, "--fail-on-changes", "--out", str(project_dir / "saved"))
    assert changed.returncode == 3, changed.stderr
    assert "~ consumer.override.max.poll.records: 2000 → 1000" in changed.stdout
    assert "restarts 1 task" in changed.stdout
    assert load_plan(project_dir / "saved").has_changes
    carried_out = stack.pipeline("deploy", str(project_dir / "saved"))
    assert carried_out.returncode == 0, carried_out.stderr
    assert "~ connector users updated (" in carried_out.stdout
    moved_on = stack.pipeline("deploy", str(project_dir / "saved"))
    assert moved_on.returncode == 3
    assert "something has changed since this plan was made: connector users" in moved_on.stderr
    users.write_text(users.read_text(encoding="utf-8").replace('"1000"', '"none"'), encoding="utf-8")
    refused = stack.pipeline(*arguments)
    assert refused.returncode == 1, refused.stderr
    assert "cannot be deployed: 1 refused" in refused.stdout


def test_a_saved_plan_takes_no_other_options(stack: Stack, tmp_path: Path) -> None:
    saved = tmp_path / "saved"
    saved.write_text("{}", encoding="utf-8")
    outcome = stack.pipeline("deploy", str(saved))
    assert outcome.returncode == 2
    assert "not a plan (KeyError); `pipeline plan --out FILE` writes one" in outcome.stderr


def test_a_broken_declaration_ends_with_exit_code_2_and_one_line(stack: Stack, project_dir: Path) -> None:
    (project_dir / "topics.yaml").write_text("a: 1", encoding="utf-8")
    outcome = stack.pipeline("--project", str(project_dir), "deploy")
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("error: ")
    assert "topic a: partitions, doc and config are expected" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_options_that_contradict_each_other_are_a_usage_error(stack: Stack) -> None:
    outcome = stack.pipeline("produce", "--continuous", "--since", "3d")
    assert outcome.returncode == 2
    assert "Traceback" not in outcome.stderr


def database(desk: Desk, stack: Stack, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline", "db", *arguments],
        env={**stack.environment, "PIPELINE_POSTGRES_DSN": desk.dsn},
        cwd=ROOT,
        input=answer,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_database_is_made_compared_asked_and_made_anew(desk: Desk, stack: Stack) -> None:
    assert database(desk, stack, "check").returncode == 3
    made = database(desk, stack, "init")
    assert made.returncode == 0, made.stderr
    assert "+ table     user_events created" in made.stdout
    assert database(desk, stack, "check").returncode == 0
    with psycopg.connect(desk.dsn) as connection:
        connection.execute("INSERT INTO users VALUES ('u', 'a@b.c', 'A', 'B', 'DE', true, '2026-01-01')")
        connection.execute("ALTER TABLE users ALTER COLUMN email DROP NOT NULL")
    drifted = database(desk, stack, "check")
    assert drifted.returncode == 3
    assert "users.users_email_not_null" in drifted.stdout or "column users.email" in drifted.stdout
    asked = database(desk, stack, "query", "SELECT user_id, signup_date FROM users", "--json")
    assert json.loads(asked.stdout) == {"user_id": "u", "signup_date": "2026-01-01"}
    writing = database(desk, stack, "query", "DELETE FROM users")
    assert writing.returncode == 1
    assert "read-only transaction" in writing.stderr
    refused = database(desk, stack, "reset", answer="n\n")
    assert refused.returncode == 1
    assert desk.rows("SELECT count(*) FROM users") == [(1,)]
    anew = database(desk, stack, "reset", answer="y\n")
    assert anew.returncode == 0, anew.stderr
    assert desk.rows("SELECT count(*) FROM users") == [(0,)]
    assert database(desk, stack, "check").returncode == 0
