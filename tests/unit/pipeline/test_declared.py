from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.declared.project import read_project
from pipeline.errors import DeclarationError

ROOT = Path(__file__).parents[3]


def test_every_declaration_of_this_repository_is_understood() -> None:
    project = read_project(ROOT)
    assert [connector.name for connector in project.connectors] == [
        "dead-letters",
        "user-events",
        "user-stats",
        "users",
    ]
    assert [schema.subject for schema in project.schemas] == ["user-events-value", "users-value"]
    assert [declared.name for declared in project.ksql] == ["USER_EVENTS", "FIRST_EVENTS", "EVENTS", "USER_STATS"]
    assert [script.name for script in project.sql] == [
        "users",
        "user_events",
        "user_stats",
        "dead_letter_queue",
        "dead_letter_actions",
        "pipeline_checks",
        "verified_topics",
        "verified_records",
        "verified_letters",
        "verified_rows",
        "erasures",
        "verified_totals",
        "verified_statistics",
        "verified_gaps",
    ]
    assert {"user-events", "users", "dlq.user-events"} <= {topic.name for topic in project.topics}


def test_deduplication_is_deployed_without_a_record_cache_and_from_the_start() -> None:
    first_events = next(declared for declared in read_project(ROOT).ksql if declared.name == "FIRST_EVENTS")
    assert first_events.properties == {
        "auto.offset.reset": "earliest",
        "ksql.streams.cache.max.bytes.buffering": "0",
    }


def test_a_replacing_statement_differs_only_in_or_replace() -> None:
    declared = read_project(ROOT).ksql[0]
    assert declared.statement.startswith("CREATE STREAM user_events")
    assert declared.replacing == declared.statement.replace("CREATE STREAM", "CREATE OR REPLACE STREAM")


def test_the_retention_of_first_events_equals_the_window_that_writes_it() -> None:
    project = read_project(ROOT)
    topic = next(topic for topic in project.topics if topic.name == "first-events")
    statement = next(declared.statement for declared in project.ksql if declared.name == "FIRST_EVENTS")
    days = int(topic.config["retention.ms"]) // 86_400_000
    assert f"RETENTION {days} DAYS" in statement
    assert topic.config["message.timestamp.type"] == "LogAppendTime"


def test_no_connector_holds_a_secret_or_an_address() -> None:
    for connector in read_project(ROOT).connectors:
        assert connector.config["connection.password"] == "${env:PG_PASSWORD}"
        assert connector.config["connection.url"].startswith("${env:PG_JDBC_URL}&")


def test_every_value_column_of_a_schema_has_a_column_in_its_table() -> None:
    project = read_project(ROOT)
    scripts = {script.name: script.text for script in project.sql}
    for schema in project.schemas:
        table = scripts[schema.subject.removesuffix("-value").replace("-", "_")]
        for field in schema.document["fields"]:
            assert f"\n    {field['name']} " in table, f"{field['name']} of {schema.subject}"


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("connectors/users.json", '{\n "a": 1,\n}', "users.json:3: not JSON"),
        ("connectors/users.json", "[]", "users.json:1: a JSON object is expected"),
        ("connectors/users.json", '{"tasks.max": 1}', 'tasks.max: the value must be text; write "tasks.max": "1"'),
        ("connectors/users.json", "{}", "connector.class is missing"),
        ("connectors/users.json", '{"connector.class": "x", "name": "y"}', "remove it or rename the file"),
        ("schemas/users-value.avsc", '{"type": "recorrd"}', "users-value.avsc:1: not an Avro schema"),
        ("ksql/01_user_events.sql", "DROP STREAM x;", "only SET '…'='…'; and one CREATE belong here"),
        ("ksql/01_user_events.sql", "-- nothing\n", "one CREATE STREAM or CREATE TABLE is expected, 0 found"),
        ("ksql/01_user_events.sql", "CREATE STREAM x (a INT) WITH (a='b')", "does not end with a semicolon"),
        ("ksql/01_user_events.sql", "-- a\nCREATE STREAM 'x", "not ksql"),
        ("ksql/01_user_events.sql", "CREATE TYPE x AS INT;", "one CREATE STREAM or CREATE TABLE is expected"),
        ("ksql/01_user_events.sql", "CREATE OR REPLACE STREAM;", "one CREATE STREAM or CREATE TABLE is expected"),
        ("connectors/users.json", '{"a": "1",\n"a": "2"}', 'users.json:2: "a" stands there twice'),
        ("sql/migrations/first.sql", "SELECT 1;", "a migration is named NNNN_what_it_does.sql"),
        ("topics.yaml", "a: {doc: x, partitions: 1}\na: {}", "topics.yaml:2: topic a stands there twice"),
        ("sql/02_users.sql", "CREATE TABLE x ();", "02_users.sql:1: the first line must say what one row means"),
        ("topics.yaml", "a: [", "topics.yaml:1: not YAML"),
        ("topics.yaml", "- a", "topics.yaml:1: a mapping"),
        ("topics.yaml", "a: 1", "topic a: partitions, doc and config are expected"),
        ("topics.yaml", "a: {doc: x, partitions: 0}", "topic a: partitions: "),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(project_dir: Path, path: str, content: str, message: str) -> None:
    (project_dir / path).parent.mkdir(exist_ok=True)
    (project_dir / path).write_text(content, encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        read_project(project_dir)
    assert message in str(caught.value)


def test_a_folder_that_is_not_there_is_named_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "topics.yaml").write_text("{}", encoding="utf-8")
    with pytest.raises(DeclarationError, match=r"no such folder\. Run this in the project's folder"):
        read_project(tmp_path)


def test_a_file_that_is_not_text_is_named(project_dir: Path) -> None:
    (project_dir / "sql" / "02_users.sql").write_bytes(b"\xff\xfe")
    with pytest.raises(DeclarationError, match=r"02_users\.sql:1: cannot be read"):
        read_project(project_dir)


def test_a_connector_is_deployed_under_the_name_of_its_file(project_dir: Path) -> None:
    config = {"connector.class": "x"}
    (project_dir / "connectors" / "extra.json").write_text(json.dumps(config), encoding="utf-8")
    extra = next(connector for connector in read_project(project_dir).connectors if connector.name == "extra")
    assert extra.config == {**config, "name": "extra"}
