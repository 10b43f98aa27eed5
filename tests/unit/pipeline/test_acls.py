"""acls.yaml: how it is read, what covers what, what a plan says of it, and what `pipeline check` finds in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from access.acls import Acl, Operation
from pipeline.check.all import check
from pipeline.declared.acls import Part, read_parts
from pipeline.declared.files import ACLS, Files, read_files
from pipeline.errors import DeclarationError
from pipeline.plan.acls import compare_acls, compare_part
from pipeline.plan.compare import Options
from pipeline.plan.deployed import DeployedAcls
from pipeline.plan.plan import Plan
from pipeline.report.changes import print_plan
from pipeline.report.console import out


def parts(text: str) -> list[Part]:
    return read_parts(Files({ACLS: text}))


PRODUCER = """
producer:
  doc: Writes.
  principal: User:p
  allow:
    - topics: [a, b, c*]
      operations: [Describe, Write]
    - cluster: true
      operations: [Describe]
"""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: [", "acls.yaml:1: not YAML"),
        ("- a", "acls.yaml:1: a mapping from part names to settings"),
        ("a: [b]", "acls.yaml:1: part a: doc, principal and allow are expected"),
        (PRODUCER + PRODUCER, "acls.yaml:11: part producer stands there twice"),
        (PRODUCER.replace("User:p", "me"), "acls.yaml:4: part producer: principal: String should match"),
        (PRODUCER.replace("topics: [a, b, c*]", "{}"), "acls.yaml:7: not YAML"),
        (
            PRODUCER.replace("    - cluster: true\n      ", "    - "),
            "acls.yaml:8: part producer: allow.1: Value error, to",
        ),
        (PRODUCER.replace("Write", "Lick"), "acls.yaml:7: part producer: allow.0.operations.1: Input should be 'All',"),
        (PRODUCER.replace("doc: W", "dog: W"), "acls.yaml:2: part producer: doc: Field required"),
    ],
)
def test_a_declaration_that_is_not_understood_is_named_with_its_line(text: str, complaint: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(complaint)):
        parts(text)


def test_names_with_a_star_are_prefixes_and_the_star_alone_is_all() -> None:
    (part,) = parts("p: {doc: d, principal: 'User:me', allow: [{topics: ['a*', '*', b], operations: [Read]}]}")
    assert part.acls() == [
        Acl("User:me", "topic", "a", prefixed=True, operation="Read"),
        Acl("User:me", "topic", "*", prefixed=False, operation="Read"),
        Acl("User:me", "topic", "b", prefixed=False, operation="Read"),
    ]


def acl(pattern: str, operation: Operation = "Read", principal: str = "User:me") -> Acl:
    prefixed = pattern.endswith("*") and pattern != "*"
    return Acl(principal, "topic", pattern.removesuffix("*") if prefixed else pattern, prefixed, operation)


@pytest.mark.parametrize(
    ("one", "other", "covers"),
    [
        (acl("a"), acl("a"), True),
        (acl("a"), acl("ab"), False),
        (acl("a"), acl("a*"), False),
        (acl("a*"), acl("ab"), True),
        (acl("a*"), acl("ab*"), True),
        (acl("ab*"), acl("a*"), False),
        (acl("*"), acl("a*"), True),
        (acl("a*"), acl("*"), False),
        (acl("a", "All"), acl("a", "Write"), True),
        (acl("a", "Write"), acl("a", "Describe"), True),
        (acl("a", "Describe"), acl("a", "Write"), False),
        (acl("a", "Alter"), acl("a", "AlterConfigs"), False),
        (acl("a", "AlterConfigs"), acl("a", "DescribeConfigs"), True),
        (acl("a", principal="User:*"), acl("a"), True),
        (acl("a"), acl("a", principal="User:you"), False),
        (acl("a"), acl("a")._replace(resource="group"), False),
    ],
)
def test_an_acl_covers_what_kafka_allows_by_it(one: Acl, other: Acl, covers: bool) -> None:
    assert one.covers(other) == covers


def test_a_new_part_says_in_words_what_it_will_be_allowed() -> None:
    (part,) = parts(PRODUCER)
    change = compare_part(part, set())
    assert change.action == "create"
    assert change.consequences == (
        "allows User:p Describe, Write on topics a, b, c*",
        "allows User:p Describe on the cluster",
    )


def test_what_is_allowed_already_by_a_broader_acl_too_is_not_missing() -> None:
    (part,) = parts(PRODUCER)
    cluster = next(one for one in part.acls() if one.resource == "cluster")
    broader = Acl("User:*", "topic", "*", prefixed=False, operation="All")
    assert compare_part(part, {cluster, broader}).action == "unchanged"
    (describes_a, _writes_a, *others) = part.acls()
    change = compare_part(part, {describes_a, *others})
    assert change.action == "update"
    assert change.consequences == ("allows User:p Write on topics a",)


def test_where_we_may_not_see_what_is_there_a_plan_has_one_line_and_nothing_to_do() -> None:
    changes = tuple(compare_acls(parts(PRODUCER), DeployedAcls(unknown="Kafka says no")))
    plan = Plan(Files({}), Options(), changes)
    assert not plan.has_changes
    with out.capture() as captured:
        print_plan(plan)
    assert captured.get().splitlines() == [
        "? acl       acls.yaml unknown",
        "      Kafka says no. Whether all is there tells `pipeline acls list` to somebody who may see it.",
        "nothing to do: all 0 other declarations are deployed as they stand",
    ]


def findings(project_dir: Path, old: str, new: str, path: str = "acls.yaml") -> list[str]:
    file = project_dir / path
    text = file.read_text(encoding="utf-8")
    assert old in text, f"{path} no longer holds {old}"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return [f"{one.path}:{one.line}: {one.what}; {one.why}; {one.fix}" for one in check(read_files(project_dir))]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("[user-events, users]", "[user-events, user]", [r"acls.yaml:9: producer: topic user is declared nowhere; it"]),
        (
            "[user-events, users]",
            "[user-events]",
            [r"acls.yaml:5: producer may not Write topic users; schemas/users-v"],
        ),
        (
            "[user-events, users]",
            "[user-*, user-events]",
            [r"acls.yaml:5: producer may not Write topic users; schemas"],
        ),
        (
            "user-events, users, user-stats, ",
            "user-events, users, ",
            [r"connect may not Read topic user-stats; connecto"],
        ),
        (
            "users.retry.*, user-s",
            "users.retryy.*, user-s",
            [r"topic users.retryy.\* is declared nowhere", r"may not Rea"],
        ),
        (
            "    - topics: [dlq.*]",
            "    - topics: [dlq.users]",
            [r"connect may not Write topics dlq.user-events, dlq.user-stats; .*\.json:\d+"],
        ),
        ("[connect, connect-*]", "[connect, connect-user*]", [r"connect may not Read group connect-dead-letters; "]),
        (
            "[connect, connect-*]",
            "[connect-*, connect-people]",
            [r"acls.yaml:22: connect: group connect-people is no con"],
        ),
        ("command-log,", "commands,", [r"ksqldb: group commands is no connector's"]),
        (
            "    - topics: [user-events]\n",
            "    - topics: [users]\n",
            [r"ksqldb may not Read topic user-events; ksql/0"],
        ),
        (
            "[first-events, first-events.next, user-stats, user-",
            "[user-stats, user-",
            [r"ksqldb may not Delete topics first-events, first-events.next; ksql/02_first_events.sql:\d+ writes it"],
        ),
        (
            "operations: [Create, Delete, Desc",
            "operations: [Delete, Desc",
            [r"ksqldb may not Create topics user-stats, user-stats.next; ksql/04_user_stats.sql:\d+ makes it"],
        ),
        ("dlq.*]\n      operations: [Alter, ", "dlq*]\n      operations: [Alter, ", []),
        (
            "first-events*, dlq.*]",
            "dlq.*]",
            [r"deployer may not Create topics first-events, first-events.next; topics.yaml:\d+ declares it"],
        ),
        (
            "users.retry.*, user-stats.retry.*]\n      operations: [Write]",
            "user-stats.retry.*]\n      operations: [Write]",
            [r"operator may not Write topic users.retry.users; `pipeline dlq"],
        ),
        ("producer:\n", "somebody:\n", []),
    ],
)
def test_what_a_part_cannot_do_or_what_nobody_declares_is_found(
    project_dir: Path, old: str, new: str, expected: list[str]
) -> None:
    found = findings(project_dir, old, new)
    for pattern in expected:
        assert any(re.search(pattern, one) for one in found), found
    assert bool(found) == bool(expected), found


def test_a_new_connector_needs_its_topics_and_its_group(project_dir: Path) -> None:
    found = findings(project_dir, '"topics": "users,', '"topics": "first-events,users,', "connectors/users.json")
    (line,) = [one for one in found if one.startswith("acls.yaml")]
    assert line.startswith(
        "acls.yaml:12: connect may not Read topics first-events, first-events.next; connectors/users.json:5 reads it"
    )


def test_without_acls_nothing_is_asked_of_them(project_dir: Path) -> None:
    (project_dir / "acls.yaml").unlink()
    assert check(read_files(project_dir)) == []
