"""ACLs on a cluster that authorises: what is declared is applied, and is enough for the part that it is meant for."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from confluent_kafka import KafkaError, Producer

from access.acls import Acl
from access.http import Endpoint
from embedded.ports import choose_ports
from pipeline.clients.authorizer import Authorizer
from pipeline.clients.kafka import Kafka
from pipeline.clients.ksqldb import KsqlDb
from pipeline.declared.acls import read_acls
from pipeline.errors import DeclarationError
from pipeline.waiting import wait_until
from tests.conftest import ROOT, Stack
from tests.integration.access.broker import PART_PASSWORD, Broker
from tests.integration.access.certificates import Authority
from tests.integration.access.commands import environment, only_line, run

Settings = dict[str, object]


@pytest.fixture(scope="module")
def applied(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Broker:
    """The broker with all declared ACLs, applied by its super user, and with the declared topics."""
    state_dir = tmp_path_factory.mktemp("acls")
    super_user: Settings = {"KAFKA_BOOTSTRAP_SERVERS": broker.plaintext}
    declared = len(set(read_acls(ROOT)))
    before = run(super_user, state_dir, "acls", "list")
    assert before.returncode == 3, before.stderr
    first = run(super_user, state_dir, "acls", "apply")
    assert first.returncode == 0, first.stderr
    assert f"{declared} of {declared} declared ACLs added" in first.stdout
    again = run(super_user, state_dir, "acls", "apply")
    assert f"nothing to do: all {declared} declared ACLs are there" in again.stdout
    after = run(super_user, state_dir, "acls", "list")
    assert after.returncode == 0, after.stdout
    return broker


def as_part(broker: Broker, authority: Authority, name: str) -> Settings:
    return {
        "KAFKA_BOOTSTRAP_SERVERS": broker.addresses["SECURE"],
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "PLAIN",
        "KAFKA_SASL_USERNAME": name,
        "KAFKA_SASL_PASSWORD": PART_PASSWORD,
        "KAFKA_SSL_CA_LOCATION": authority.ca,
    }


def client_config(broker: Broker, authority: Authority, name: str) -> dict[str, str]:
    return {
        "bootstrap.servers": broker.addresses["SECURE"],
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
        "sasl.username": name,
        "sasl.password": PART_PASSWORD,
        "ssl.ca.location": str(authority.ca),
    }


def send(config: dict[str, str], topic: str, key: str) -> str | None:
    """Return why a record was refused, None if it was not."""
    outcome: list[str | None] = []
    producer = Producer({**config, "enable.idempotence": True, "acks": "all", "message.timeout.ms": 20_000})
    value = f'{{"A": "{key}"}}'

    def report(error: KafkaError | None, _message: object) -> None:
        outcome.append(None if error is None else error.name())

    producer.produce(topic, value, key, on_delivery=report)
    producer.flush(30)
    return outcome[0]


def test_what_is_declared_lets_each_part_do_its_work_and_no_other(
    applied: Broker, authority: Authority, tmp_path: Path
) -> None:
    deployer = Kafka(client_config(applied, authority, "deployer"))
    for topic in {"user-events", "user-events.retry.user-events"} - deployer.partitions().keys():
        deployer.create_topic(topic, 1, 1, {"cleanup.policy": "delete"})
    for name in ("operator", "deployer"):
        looked = run(as_part(applied, authority, name), tmp_path, "topics", "show", "user-events")
        assert looked.returncode == 0, looked.stderr
    assert send(client_config(applied, authority, "producer"), "user-events", "k") is None
    assert send(client_config(applied, authority, "operator"), "user-events", "k") == "TOPIC_AUTHORIZATION_FAILED"
    assert send(client_config(applied, authority, "operator"), "user-events.retry.user-events", "k") is None
    refused = run(as_part(applied, authority, "producer"), tmp_path, "acls", "apply")
    assert "could not add ACLs: CLUSTER_AUTHORIZATION_FAILED; see acls.yaml" in only_line(refused, 1)


@contextmanager
def engine(settings: Settings, state_dir: Path) -> Iterator[str]:
    listener = f"127.0.0.1:{choose_ports(['ksql'], {})['ksql']}"
    variables = environment({**settings, "KSQLDB_LISTENER": listener}, state_dir)
    del variables["PIPELINE_SCHEMA_REGISTRY_URL"]
    process = subprocess.Popen([sys.executable, "-m", "embedded.ksql"], env=variables, cwd=ROOT)
    try:

        def answers() -> bool:
            try:
                return requests.get(f"http://{listener}/info", timeout=5).ok
            except requests.ConnectionError:
                return False

        wait_until(answers, awaiting="the engine", timeout_seconds=60)
        yield f"http://{listener}"
    finally:
        process.terminate()
        assert process.wait(30) == 0


def test_ksqldb_needs_no_more_than_is_declared(applied: Broker, authority: Authority, tmp_path: Path) -> None:
    super_user = Kafka({"bootstrap.servers": applied.plaintext})
    if "user-events" not in super_user.partitions():
        super_user.create_topic("user-events", 1, 1, {})
    with engine(as_part(applied, authority, "ksqldb"), tmp_path) as url:
        statements = (
            "CREATE STREAM e (k STRING KEY, a STRING) WITH (KAFKA_TOPIC='user-events', VALUE_FORMAT='JSON');",
            "CREATE TABLE t WITH (KAFKA_TOPIC='user-stats') AS SELECT k, COUNT(*) AS n FROM e GROUP BY k;",
        )
        for statement in statements:
            body = {"ksql": statement, "streamsProperties": {"auto.offset.reset": "earliest"}}
            answer = requests.post(f"{url}/ksql", json=body, timeout=60)
            assert answer.ok, answer.text
        key = f"key-{time.time_ns()}"
        assert send(client_config(applied, authority, "producer"), "user-events", key) is None

        def counted() -> bool:
            rows = list(KsqlDb(Endpoint(url)).query(f"SELECT n FROM t WHERE k = '{key}';"))
            return rows[1:] == [[1]]

        wait_until(counted, awaiting="the record to be counted", timeout_seconds=60)


def test_a_cluster_that_authorises_nobody_is_left_alone(stack: Stack) -> None:
    outcome = stack.pipeline("acls", "apply")
    assert outcome.returncode == 0, outcome.stderr
    assert "the cluster authorises nobody" in outcome.stdout


def test_what_is_there_is_read_as_it_was_written(applied: Broker) -> None:
    there = Authorizer({"bootstrap.servers": applied.plaintext}).acls()
    assert set(read_acls(ROOT)) <= there


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "acls.yaml:1: not YAML"),
        ("- a", "a mapping from parts"),
        ("p: {doc: d, principal: me, allow: []}", "p: principal: String should match"),
        ("p: {doc: d, principal: 'User:me', allow: [{operations: [Read]}]}", "topics, groups, transactional_ids or"),
        ("p: {doc: d, principal: 'User:me', allow: [{topics: [a], operations: [Lick]}]}", "p: allow.0.operations.0"),
    ],
)
def test_a_declaration_that_is_not_understood_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "acls.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError, match=complaint):
        read_acls(tmp_path)


def test_names_with_a_star_are_prefixes_and_the_star_alone_is_all(tmp_path: Path) -> None:
    text = "p: {doc: d, principal: 'User:me', allow: [{topics: ['a*', '*', b], operations: [Read]}]}"
    (tmp_path / "acls.yaml").write_text(text, encoding="utf-8")
    assert read_acls(tmp_path) == [
        Acl("User:me", "topic", "a", prefixed=True, operation="Read"),
        Acl("User:me", "topic", "*", prefixed=False, operation="Read"),
        Acl("User:me", "topic", "b", prefixed=False, operation="Read"),
    ]
