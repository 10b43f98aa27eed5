"""ACLs on a cluster that authorises: `deploy` applies them, and they are enough for the part that each is meant for."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from access.acls import Acl
from pipeline.clients.authorizer import Authorizer
from pipeline.declared.acls import Part, read_parts
from pipeline.declared.files import read_files
from pipeline.deploy.acls import apply_acls
from pipeline.waiting import wait_until
from tests.conftest import ROOT, Stack
from tests.integration.access.broker import Broker, running_broker
from tests.integration.access.certificates import Authority
from tests.integration.access.commands import only_line, run
from tests.integration.access.parts import Settings, as_part, engine, worker
from tests.integration.access.tokens import ISSUER, TokenEndpoint
from tests.integration.dead_letters.letters import Letters

DATABASE = "authorised"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A broker that authorises, and the other servers, whom everybody may ask."""

    broker: Broker
    authority: Authority
    state_dir: Path
    others: Settings

    def run(self, part: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as one part of acls.yaml."""
        settings = {**as_part(self.broker, self.authority, part), **self.others}
        return run(settings, self.state_dir, *arguments, timeout_seconds=300)

    @property
    def super_user(self) -> Authorizer:
        return Authorizer({"bootstrap.servers": self.broker.plaintext})

    def allowed(self) -> frozenset[Acl]:
        there = self.super_user.acls()
        assert there is not None
        return there

    @contextmanager
    def without(self, part: str, topic: str) -> Iterator[None]:
        """Take what a part may do in one topic away for a while."""
        admin = AdminClient({"bootstrap.servers": self.broker.plaintext})
        wanted = AclBindingFilter(
            ResourceType.TOPIC,
            topic,
            ResourcePatternType.LITERAL,
            f"User:{part}",
            "*",
            AclOperation.ANY,
            AclPermissionType.ANY,
        )
        (taken,) = [future.result() for future in admin.delete_acls([wanted]).values()]
        assert taken
        try:
            yield
        finally:
            assert list(apply_acls(self.super_user, parts(), self.allowed()))


def parts() -> list[Part]:
    return read_parts(read_files(ROOT))


@pytest.fixture(scope="module")
def bare(
    stack: Stack, authority: Authority, tokens: TokenEndpoint, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """A cluster on which only the deployer may do anything, as acls.yaml declares it; nothing is deployed."""
    directory = tmp_path_factory.mktemp("authorised")
    with psycopg.connect(stack.postgres_dsn, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    dsn = urlsplit(stack.postgres_dsn)._replace(path=f"/{DATABASE}").geturl()
    with running_broker(directory, authority, tokens.keys, ISSUER) as broker:
        cluster = Cluster(broker, authority, directory / "commands", {"POSTGRES_DSN": dsn})
        (deployer,) = [one for one in parts() if one.name == "deployer"]
        cluster.super_user.allow(deployer.acls())
        yield cluster
    with psycopg.connect(stack.postgres_dsn, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


@pytest.fixture(scope="module")
def allowed(bare: Cluster) -> Cluster:
    """The cluster on which the deployer has deployed the ACLs, and nothing else."""
    saved = str(bare.state_dir.parent / "acls.json")
    shown = bare.run("deployer", "plan", "--only", "acl", "--fail-on-changes", "--out", saved)
    assert shown.returncode == 3, shown.stderr
    assert "+ acl       producer create\n      allows User:producer Describe, Write on topics user-events, users\n" in (
        shown.stdout
    )
    assert "plan: 5 to create, 1 unchanged" in shown.stdout
    deployed = bare.run("deployer", "deploy", saved)
    assert deployed.returncode == 0, deployed.stderr
    assert "+ acl       producer created (allows User:producer Describe, Write on topics" in deployed.stdout
    moved_on = bare.run("deployer", "deploy", saved)
    assert "something has changed since this plan was made: acl producer, " in only_line(moved_on, 3)
    assert {acl for part in parts() for acl in part.acls()} <= bare.allowed()
    return bare


@pytest.fixture(scope="module")
def cluster(allowed: Cluster, stack: Stack, authority: Authority) -> Iterator[Cluster]:
    """The cluster with everything that the repository declares, deployed by the deployer; all servers are parts."""
    directory, dsn = allowed.state_dir.parent, str(allowed.others["POSTGRES_DSN"])
    registry: Settings = {"SCHEMA_REGISTRY_URL": stack.schema_registry_url}
    as_ksqldb = {**as_part(allowed.broker, authority, "ksqldb"), **registry}
    with (
        worker(allowed.broker, authority, stack, dsn, directory) as connect_url,
        engine(as_ksqldb, directory / "engine") as ksqldb_url,
    ):
        others = {**allowed.others, **registry, "CONNECT_URL": connect_url, "KSQLDB_URL": ksqldb_url}
        whole = dataclasses.replace(allowed, others=others)
        deployed = whole.run("deployer", "deploy")
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        yield whole


def test_a_second_plan_is_empty_and_everything_is_in_it(cluster: Cluster) -> None:
    again = cluster.run("deployer", "plan", "--fail-on-changes", "--json")
    assert again.returncode == 0, again.stdout + again.stderr
    kinds = [change["kind"] for change in json.loads(again.stdout)["changes"]]
    assert kinds.count("acl") == len(parts())
    assert len(set(kinds)) > 1
    deployed = cluster.run("deployer", "deploy")
    assert deployed.returncode == 0, deployed.stderr
    assert f"nothing to do: all {len(kinds)} declarations are deployed as they stand" in deployed.stdout
    with psycopg.connect(str(cluster.others["POSTGRES_DSN"])) as connection:
        kept = connection.execute("SELECT bool_and(files ? 'acls.yaml') FROM deployment.history").fetchone()
    assert kept == (True,)


def verified(cluster: Cluster) -> dict[str, object]:
    outcome = cluster.run("operator", "verify", "--json", "--timeout", "150")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    accounts: dict[str, object] = json.loads(outcome.stdout)
    return accounts


def test_each_part_can_do_its_work_from_the_producer_to_the_last_row(cluster: Cluster) -> None:
    sent = cluster.run("producer", "produce", "--events", "300", "--duplicates", "0.1", "--users", "20")
    assert sent.returncode == 0, sent.stdout + sent.stderr
    accounts = verified(cluster)
    assert accounts["ok"] is True
    assert accounts["users_mismatched"] == 0
    for command in (("status",), ("topics", "show", "user-events"), ("dlq", "stats"), ("acls", "list")):
        looked = cluster.run("operator", *command)
        assert looked.returncode == 0, looked.stdout + looked.stderr


def test_the_workers_write_dead_letters_and_the_operator_replays_them(cluster: Cluster, stack: Stack) -> None:
    dsn = str(cluster.others["POSTGRES_DSN"])
    letters = Letters(dataclasses.replace(stack, kafka_bootstrap_servers=cluster.broker.plaintext, postgres_dsn=dsn))
    letters.fail(1)
    replayed = cluster.run("operator", "dlq", "replay", "--user", letters.user, "--set", "watched_percent=55")
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "1 resolved: their rows arrived" in replayed.stdout


def test_the_eraser_erases_and_a_rebuild_brings_nobody_back(cluster: Cluster, project_dir: Path) -> None:
    sent = cluster.run("producer", "produce", "--events", "20", "--users", "5")
    assert sent.returncode == 0, sent.stderr
    canary = cluster.run("eraser", "verify", "--canary")
    assert canary.returncode == 0, canary.stdout + canary.stderr
    statement = project_dir / "ksql" / "04_user_stats.sql"
    text = statement.read_text(encoding="utf-8")
    statement.write_text(text.replace("GROUP BY user_id", "GROUP BY user_id\nHAVING COUNT(*) > 0"), encoding="utf-8")
    for project in (project_dir, ROOT):
        rebuilt = cluster.run("deployer", "--project", str(project), "deploy", "--rebuild")
        assert rebuilt.returncode == 0, rebuilt.stdout + rebuilt.stderr
        assert "USER_STATS rebuilt" in rebuilt.stdout
    assert verified(cluster)["ok"] is True


def test_a_producer_without_its_acl_says_so_in_one_line_and_deploy_gives_it_back(cluster: Cluster) -> None:
    with cluster.without("producer", "user-events"):
        line = only_line(cluster.run("producer", "produce", "--events", "1"), 1)
        assert "there is no topic user-events at" in line
        assert "see acls.yaml" in line
        listed = cluster.run("operator", "acls", "list")
        assert listed.returncode == 3, listed.stderr
        refused = cluster.run("operator", "plan", "--only", "acl")
        assert refused.returncode == 1, refused.stderr
        assert "! who deploys may not add ACLs: that needs Alter on the cluster" in refused.stdout
        stopped = cluster.run("operator", "deploy", "--only", "acl")
        assert "nothing was changed: who deploys may not add ACLs" in only_line(stopped, 1)
        deployed = cluster.run("deployer", "deploy", "--only", "acl")
        assert deployed.returncode == 0, deployed.stderr
        assert (
            "~ acl       producer updated (allows User:producer Describe, Write on topics user-events)"
            in deployed.stdout
        )
        sent = cluster.run("producer", "produce", "--events", "1")
        assert sent.returncode == 0, sent.stderr


def test_a_sink_without_its_acl_is_named_with_the_reason(cluster: Cluster) -> None:
    with cluster.without("connect", "users"):
        cluster.run("operator", "connectors", "restart", "users")  # its task fails at once, or a little later
        line = only_line(cluster.run("deployer", "deploy", "--only", "connector", "--timeout", "60"), 1)
        assert "connector users FAILED: " in line
        assert "Not authorized to access topics: [users]" in line

    def restarted() -> bool:  # the state of before may be told for a moment
        return cluster.run("operator", "connectors", "restart", "users").returncode == 0

    wait_until(restarted, awaiting="the sink to run again", timeout_seconds=60)
    waited = cluster.run("deployer", "deploy", "--only", "connector")
    assert waited.returncode == 0, waited.stderr


def test_whoever_may_not_see_the_acls_is_told_so_and_not_kept_from_the_rest(allowed: Cluster) -> None:
    planned = allowed.run("producer", "plan", "--only", "acl", "--only", "table", "--fail-on-changes")
    assert "? acl       acls.yaml unknown" in planned.stdout
    assert "could not list the ACLs: Describe on the cluster is needed; see acls.yaml. Whether all is there" in (
        planned.stdout
    )
    refused = only_line(allowed.run("producer", "acls", "apply"), 1)
    assert "could not list the ACLs: Describe on the cluster is needed; see acls.yaml" in refused


def test_apply_needs_nothing_but_kafka_and_takes_nothing_away(allowed: Cluster) -> None:
    foreign = Acl("User:somebody", "topic", "their-topic", prefixed=False, operation="Read")
    allowed.super_user.allow([foreign])
    only_kafka = dataclasses.replace(allowed, others={})
    with allowed.without("producer", "users"):
        listed = only_kafka.run("deployer", "acls", "list")
        assert listed.returncode == 3, listed.stderr
        assert "+  User:producer  Write" in listed.stdout
        assert "not allowed yet" in listed.stdout
        applied = only_kafka.run("deployer", "acls", "apply")
        assert applied.returncode == 0, applied.stderr
        assert "~ acl       producer updated (allows User:producer Describe, Write on topics users)" in applied.stdout
    again = only_kafka.run("deployer", "acls", "apply")
    assert f"nothing to do: all {len(parts())} declarations are deployed as they stand" in again.stdout
    listed = only_kafka.run("deployer", "acls", "list")
    assert listed.returncode == 0, listed.stderr
    assert "User:somebody" in listed.stdout
    assert "not declared" in listed.stdout
    assert foreign in allowed.allowed()


def test_a_cluster_that_authorises_nobody_is_left_alone_without_a_word(stack: Stack) -> None:
    for command in ("apply", "list"):
        outcome = stack.pipeline("acls", command)
        assert outcome.returncode == 0, outcome.stderr
        assert "the cluster authorises nobody" in outcome.stdout
    planned = stack.pipeline("plan", "--only", "acl", "--only", "table")
    assert planned.returncode == 0, planned.stderr
    assert "acl" not in planned.stdout.lower()
    alone = stack.pipeline("deploy", "--only", "acl")
    assert alone.returncode == 0, alone.stderr
    assert "ACLs have no effect here (no authorizer, or IAM)" in alone.stdout


def test_who_signs_in_by_iam_is_spared_acls_for_they_do_not_hold_there(bare: Cluster) -> None:
    iam: Settings = {
        **bare.others,
        "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA_SASL_MECHANISM": "AWS_MSK_IAM",
        "KAFKA_AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "unknown",
        "AWS_SECRET_ACCESS_KEY": "unknown",
    }
    planned = run(iam, bare.state_dir, "plan", "--only", "acl")
    assert planned.returncode == 0, planned.stderr
    assert "ACLs have no effect here (no authorizer, or IAM)" in planned.stdout
