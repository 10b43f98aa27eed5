"""Deploying to real servers: what is there afterwards, and that a second run has nothing to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
import pytest

from access.http import Endpoint
from pipeline.clients.connect import Connect
from pipeline.clients.kafka import Kafka
from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.connectors import Connector
from pipeline.declared.schemas import AvroSchema
from pipeline.declared.sql import SqlFile
from pipeline.declared.topics import Topic
from pipeline.deploy.connectors import deploy_connectors
from pipeline.deploy.schemas import deploy_schemas
from pipeline.deploy.tables import deploy_tables
from pipeline.deploy.topics import deploy_topics
from pipeline.errors import DeclarationError, RejectedError, UnreachableError
from tests.conftest import ROOT, Stack


@pytest.fixture
def kafka(stack: Stack) -> Kafka:
    return Kafka({"bootstrap.servers": stack.kafka_bootstrap_servers})


def topic(name: str, config: dict[str, str] | None = None, partitions: int = 2) -> Topic:
    return Topic(name=name, doc="for a test", partitions=partitions, config=config or {})


def test_a_topic_is_created_once_and_its_settings_follow_the_file(kafka: Kafka) -> None:
    first = list(deploy_topics(kafka, [topic("t-follow", {"retention.ms": "1000"})], 1))
    again = list(deploy_topics(kafka, [topic("t-follow", {"retention.ms": "1000"})], 1))
    changed = list(deploy_topics(kafka, [topic("t-follow", {"retention.ms": "2000"})], 1))
    assert [change.action for change in (*first, *again, *changed)] == ["created", "unchanged", "updated"]
    assert kafka.partitions()["t-follow"] == 2
    assert kafka.topic_config("t-follow")["retention.ms"] == "2000"
    assert changed[0].detail == "retention.ms: 1000 → 2000"


def test_another_number_of_partitions_is_refused_with_the_reason(kafka: Kafka) -> None:
    list(deploy_topics(kafka, [topic("t-partitions")], 1))
    with pytest.raises(RejectedError, match=r"has 2 partitions, topics.yaml says 3: with another number, keys"):
        list(deploy_topics(kafka, [topic("t-partitions", partitions=3)], 1))


def test_a_setting_that_kafka_does_not_know_is_refused(kafka: Kafka) -> None:
    with pytest.raises(RejectedError, match=r"could not create topic t-bad"):
        list(deploy_topics(kafka, [topic("t-bad", {"no.such": "1"})], 1))


def schema(*fields: dict[str, object]) -> AvroSchema:
    document = {"type": "record", "name": "Sample", "fields": list(fields)}
    return AvroSchema("sample-value", Path("schemas/sample-value.avsc"), "", document)


def test_a_schema_evolves_backward_and_nothing_else(stack: Stack) -> None:
    registry = SchemaRegistry(Endpoint(stack.schema_registry_url))
    old = schema({"name": "a", "type": "int"})
    evolved = schema({"name": "a", "type": "int"}, {"name": "b", "type": ["null", "int"], "default": None})
    breaking = schema({"name": "a", "type": "int"}, {"name": "c", "type": "int"})
    actions = [next(deploy_schemas(registry, [version])).action for version in (old, old, evolved, evolved)]
    assert actions == ["created", "unchanged", "updated", "unchanged"]
    assert registry.compatibility("sample-value") == "BACKWARD"
    with pytest.raises(RejectedError, match=r"not BACKWARD compatible .*Give new fields a default"):
        list(deploy_schemas(registry, [breaking]))


def test_the_tables_are_created_once_and_a_changed_script_says_what_changed(stack: Stack) -> None:
    create = SqlFile("t_one", Path("sql/t_one.sql"), "CREATE TABLE IF NOT EXISTS t_one (a int);")
    alter = SqlFile("t_one", Path("sql/t_one.sql"), "ALTER TABLE t_one ADD COLUMN IF NOT EXISTS b text;")
    with psycopg.connect(stack.postgres_dsn, autocommit=True) as connection:
        changes = [next(deploy_tables(connection, [script])) for script in (create, create, alter, alter)]
    assert [change.action for change in changes] == ["created", "unchanged", "updated", "unchanged"]
    assert changes[2].detail == "column t_one.b"


def test_a_script_that_postgresql_refuses_is_named_with_its_line(stack: Stack) -> None:
    broken = SqlFile("t_two", Path("sql/t_two.sql"), "CREATE TABLE t_two (\n  a int,\n  b nonsense\n);")
    with (
        psycopg.connect(stack.postgres_dsn, autocommit=True) as connection,
        pytest.raises(DeclarationError, match=r"sql/t_two\.sql:3: type \"nonsense\" does not exist"),
    ):
        list(deploy_tables(connection, [broken]))


def test_an_unknown_connector_class_lists_the_installed_ones(stack: Stack) -> None:
    unknown = Connector("x", Path("connectors/x.json"), {"name": "x", "connector.class": "com.example.Nothing"})
    with pytest.raises(RejectedError, match=r"com\.example\.Nothing is not installed; there are: .*JdbcSinkConnector"):
        list(deploy_connectors(Connect(Endpoint(stack.connect_url)), [unknown], timeout_seconds=60))


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
    assert "nothing to do: all 21 declarations are deployed as they stand" in again.stdout


def test_a_broken_declaration_ends_with_exit_code_2_and_one_line(stack: Stack, tmp_path: Path) -> None:
    for folder in ("connectors", "schemas", "ksql", "sql"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "topics.yaml").write_text("a: 1", encoding="utf-8")
    outcome = stack.pipeline("--project", str(tmp_path), "deploy")
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("error: ")
    assert "topic a: partitions, doc and config are expected" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_options_that_contradict_each_other_are_a_usage_error(stack: Stack) -> None:
    outcome = stack.pipeline("produce", "--continuous", "--since", "3d")
    assert outcome.returncode == 2
    assert "Traceback" not in outcome.stderr
