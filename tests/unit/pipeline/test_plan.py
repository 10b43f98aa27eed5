"""What a plan says of single differences, and how it is shown and saved."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.declared.connectors import Connector
from pipeline.declared.files import Files, read_files
from pipeline.declared.ksql import KsqlObject, parse_ksql
from pipeline.declared.project import read_project
from pipeline.declared.topics import Topic
from pipeline.deploy.all import Outcome, _refuse_another
from pipeline.deploy.renaming import rename
from pipeline.errors import DeclarationError, DriftError, SettingsError
from pipeline.plan.change import Change, Difference
from pipeline.plan.compare import Options
from pipeline.plan.connectors import compare_connector
from pipeline.plan.deployed import DeployedConnector, DeployedKsql, DeployedTopic, Recorded
from pipeline.plan.ksql import affected, compare_ksql, needs_rebuild, plan_rebuilds, take_new_fields
from pipeline.plan.plan import Plan
from pipeline.plan.saved import load_plan, save_plan
from pipeline.plan.topics import compare_topic
from pipeline.report.changes import print_outcomes, print_plan
from pipeline.report.console import out
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("config", "overrides", "consequence"),
    [
        ({"retention.ms": "3600000"}, {}, "Kafka deletes what is beyond 1 h, soon and for good"),
        ({"retention.bytes": "1000"}, {}, "Kafka deletes what is beyond 1,000 bytes, soon and for good"),
        ({"cleanup.policy": "compact"}, {}, "Kafka keeps only the last record of each key"),
        ({}, {"cleanup.policy": "compact"}, "Kafka deletes records that are older than retention.ms"),
        ({}, {"cleanup.policy": "compact"}, "cleanup.policy goes back to the cluster's default"),
    ],
)
def test_a_topics_setting_comes_with_its_consequence(
    config: dict[str, str], overrides: dict[str, str], consequence: str
) -> None:
    defaults = {"retention.ms": "604800000", "retention.bytes": "-1", "cleanup.policy": "delete"}
    topic = Topic(name="t", doc="", partitions=1, config=config)
    change = compare_topic(topic, DeployedTopic(1, overrides, defaults))
    assert any(consequence in one for one in change.consequences), change


def test_a_secret_is_never_shown_and_a_masked_one_is_no_difference() -> None:
    connector = Connector("c", Path("connectors/c.json"), {"connector.class": "x", "db.password": "${env:P}"})
    masked = {"connector.class": "x", "db.password": "********"}
    assert compare_connector(connector, DeployedConnector(masked)).action == "unchanged"
    plain = compare_connector(connector, DeployedConnector({**masked, "db.password": "hunter2"}))
    assert plain.differences == (Difference("db.password", "••••••", "${env:P}"),)


def test_other_topics_of_a_connector_are_told_in_words() -> None:
    connector = Connector("c", Path("connectors/c.json"), {"topics": "b,c", "tasks.max": "3"})
    change = compare_connector(connector, DeployedConnector({"topics": "a,b", "tasks.max": "1"}))
    assert change.consequences == (
        "restarts 3 tasks",
        "1 → 3 tasks share the partitions",
        "starts to read c",
        "no longer reads a",
    )


def test_a_connector_that_was_left_stopped_is_resumed_and_one_that_is_paused_stays_so() -> None:
    connector = Connector("c", Path("connectors/c.json"), {"topics": "a"})
    left = compare_connector(connector, DeployedConnector({"topics": "a"}, state="STOPPED"))
    assert (left.action, left.differences) == ("update", (Difference("state", "STOPPED", "RUNNING"),))
    assert left.consequences[0].startswith("resumes it")
    paused = compare_connector(connector, DeployedConnector({"topics": "a"}, state="PAUSED"))
    assert paused.action == "unchanged"
    assert paused.consequences == ("is PAUSED, and stays so until `pipeline connectors resume c`",)


def ksql(text: str, name: str = "01_t") -> KsqlObject:
    return parse_ksql(Path(f"ksql/{name}.sql"), text)


DEPLOYED = DeployedKsql("TABLE", "T", "AS THE SERVER SAYS")


def recorded(text: str) -> Recorded:
    return Recorded("ksql/01_t.sql", text, "AS THE SERVER SAYS")


def test_comments_spaces_and_case_of_a_statement_change_nothing() -> None:
    one = "CREATE TABLE t AS SELECT a, COUNT(*) AS n FROM s GROUP BY a;"
    other = "-- why\ncreate or replace table T as\n  select a, count( * ) as N from S group by A;"
    assert compare_ksql(ksql(other), DEPLOYED, recorded(one)).action == "unchanged"
    quoted = "CREATE TABLE t AS SELECT `a`, COUNT(*) AS n FROM s GROUP BY `a`;"
    assert compare_ksql(ksql(quoted), DEPLOYED, recorded(one)).action == "update"


def test_a_statement_differs_by_clause_and_by_setting() -> None:
    one = "SET 'auto.offset.reset' = 'earliest';\nCREATE TABLE t AS SELECT a, COUNT(*) AS n FROM s GROUP BY a;"
    other = "CREATE TABLE t AS SELECT a, SUM(b) AS n FROM s WHERE a > 1 GROUP BY a;"
    change = compare_ksql(ksql(other), DEPLOYED, recorded(one))
    assert change.differences == (
        Difference("FROM", "S GROUP BY A", "S WHERE A > 1 GROUP BY A"),
        Difference("SET auto.offset.reset", "earliest", None),
        Difference("column N", "COUNT(*)", "SUM(B)"),
    )


def test_what_somebody_else_changed_is_replaced() -> None:
    text = "CREATE TABLE t AS SELECT a, COUNT(*) AS n FROM s GROUP BY a;"
    other = DeployedKsql("TABLE", "T", "SOMETHING ELSE")
    change = compare_ksql(ksql(text), other, recorded(text))
    assert change.action == "update"
    assert "changed by somebody else" in change.consequences[0]
    assert compare_ksql(ksql(text), DEPLOYED, Recorded("ksql/01_t.sql", "broken", None)).action == "update"


@pytest.mark.parametrize(
    ("after", "rebuild"),
    [
        ("CREATE STREAM t (a INT, b INT, c INT) WITH (KAFKA_TOPIC='x');", False),
        ("CREATE STREAM t (b INT, a INT) WITH (KAFKA_TOPIC='x');", True),
        ("CREATE STREAM t (a INT, b INT) WITH (KAFKA_TOPIC='y');", True),
        ("CREATE TABLE t (a INT PRIMARY KEY, b INT) WITH (KAFKA_TOPIC='x');", True),
    ],
)
def test_a_source_may_only_gain_columns_at_its_end(after: str, rebuild: bool) -> None:
    before = "CREATE STREAM t (a INT, b INT) WITH (KAFKA_TOPIC='x');"
    change = compare_ksql(ksql(after), DeployedKsql("STREAM", "x", "AS THE SERVER SAYS"), recorded(before))
    assert needs_rebuild(change.refusal) == rebuild


@pytest.mark.parametrize(
    ("fields", "action", "rebuild"),
    [
        ({"a": "int", "b": "string"}, "unchanged", False),
        ({"a": "int"}, "unchanged", False),
        ({"a": "int", "b": "string", "c": "long"}, "update", False),
        ({"c": "long", "a": "int", "b": "string"}, "update", True),
        ({"a": "int", "c": "long"}, "update", True),
        ({"a": "long", "b": "string"}, "update", True),
        ({"a": "int", "b": "string", "c": ["int", "string"]}, "unchanged", False),
    ],
)
def test_a_source_without_columns_takes_the_fields_that_it_lacks_from_the_registry(
    fields: dict[str, object], action: str, rebuild: bool
) -> None:
    source = ksql("CREATE STREAM t (k STRING KEY) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO');")
    deployed = DeployedKsql("STREAM", "x", "", columns=(("A", "INTEGER"), ("B", "STRING")))
    schema = {"type": "record", "name": "R", "fields": [{"name": n, "type": kind} for n, kind in fields.items()]}
    change = take_new_fields(Change("ksql", "T", "unchanged"), source, deployed, schema)
    assert (change.action, needs_rebuild(change.refusal)) == (action, rebuild)
    explicit = ksql("CREATE STREAM t (a INT, b STRING) WITH (KAFKA_TOPIC='x', VALUE_FORMAT='AVRO');")
    assert take_new_fields(Change("ksql", "T", "unchanged"), explicit, deployed, schema).action == "unchanged"


def test_what_reads_a_rebuilt_object_is_rebuilt_too_by_name_or_by_topic() -> None:
    objects = read_project(ROOT).ksql
    assert [one.name for one in affected({"USER_STATS"}, objects)] == ["USER_STATS"]
    assert [one.name for one in affected({"FIRST_EVENTS"}, objects)] == ["FIRST_EVENTS", "EVENTS", "USER_STATS"]


def test_only_with_rebuild_an_object_is_built_anew_and_the_records_are_counted() -> None:
    objects = read_project(ROOT).ksql
    refusal = "400 Query is not upgradeable. Values differ: …\nmore"
    changes = [
        Change("ksql", one.name, "update" if one.name == "USER_STATS" else "unchanged", refusal=None) for one in objects
    ]
    refused = [*changes[:-1], Change("ksql", "USER_STATS", "update", refusal=refusal)]
    (stuck,) = [one for one in plan_rebuilds(refused, objects, {}, rebuild=False) if one.changes]
    assert stuck.refusal == "400 Query is not upgradeable. Values differ: …. With --rebuild it is built anew."
    records = {"first-events": 1234}
    for given_changes in (refused, changes):
        (anew,) = [one for one in plan_rebuilds(given_changes, objects, records, rebuild=True) if one.changes]
        assert anew.action == "rebuild"
        assert anew.consequences[0].startswith("rebuilds user_stats from offset 0, about 1,234 records")


def test_two_schemas_that_ksqldb_quotes_in_full_are_left_out_of_a_refusal() -> None:
    objects = read_project(ROOT).ksql
    refusal = "Cannot upgrade data source: DataSource 'X' has schema = A which is not upgradeable to B. (C is missing)"
    changes = [Change("ksql", "USER_STATS", "update", refusal=refusal)]
    (stuck,) = plan_rebuilds(changes, objects, {}, rebuild=False)
    assert stuck.refusal == (
        "Cannot upgrade data source: DataSource 'X' has schema that cannot become another (C is missing). "
        "With --rebuild it is built anew."
    )


def test_a_version_beside_has_other_names_and_topics_and_the_same_columns() -> None:
    names = {"EVENTS": "EVENTS_NEXT", "T": "T_NEXT"}
    statement = (
        "CREATE TABLE IF NOT EXISTS t WITH (KAFKA_TOPIC = 'x', KEY_FORMAT='KAFKA') AS\n"
        "SELECT events.t, COUNT(*) AS events FROM events JOIN t ON events.a = t.events GROUP BY events.t;"
    )
    assert rename(ksql(statement), names, {"x": "x.next"}) == (
        "CREATE TABLE IF NOT EXISTS `T_NEXT` WITH (KAFKA_TOPIC = 'x.next', KEY_FORMAT='KAFKA') AS\n"
        "SELECT `EVENTS_NEXT`.t, COUNT(*) AS events FROM `EVENTS_NEXT` JOIN `T_NEXT` ON `EVENTS_NEXT`.a = "
        "`T_NEXT`.events GROUP BY `EVENTS_NEXT`.t;"
    )


CHANGES = (
    Change("topic", "new", "create", (Difference("partitions", None, "4"),), ("4 partitions",)),
    Change("topic", "old", "delete", (), ("its records are lost",)),
    Change("topic", "other", "keep", (), ("no longer declared; --prune deletes it",)),
    Change("topic", "same", "unchanged"),
    Change(
        "connector",
        "c",
        "update",
        (Difference("a", "x" * 90 + "1", "x" * 90 + "2"), Difference("b", None, "1"), Difference("c", "1", None)),
        ("restarts 1 task",),
        "the worker says no",
    ),
)


def test_a_plan_shows_each_key_with_its_sign_and_the_consequence_in_words() -> None:
    with out.capture() as captured:
        print_plan(Plan(Files({}), Options(), CHANGES))
    assert captured.get().splitlines() == [
        "+ topic     new create",
        "      4 partitions",
        "- topic     old delete",
        "      its records are lost",
        "? topic     other keep",
        "      no longer declared; --prune deletes it",
        "! connector c update",
        f"      ~ a: …{'x' * 20}1 → …{'x' * 20}2",
        "      + b: 1",
        "      - c: 1",
        "      restarts 1 task",
        "      ! the worker says no",
        "plan: 1 to create, 1 to delete, 1 to update, 1 unchanged",
        "cannot be deployed: 1 refused, see !",
    ]


def test_a_deployment_that_stops_shows_what_was_left() -> None:
    with out.capture() as captured:
        print_outcomes([Outcome(CHANGES[0], "done"), Outcome(CHANGES[4], "left")])
    assert captured.get().splitlines() == [
        "+ topic     new created (4 partitions)",
        "· connector c left as it was, or not known to be healthy",
        "deployed: 1 created, 0 updated, 0 unchanged",
    ]


def test_a_saved_plan_is_read_as_it_was(tmp_path: Path) -> None:
    plan = Plan(read_files(ROOT), Options(("topic", "ksql"), prune=True), CHANGES)
    save_plan(plan, tmp_path / "plan.json")
    loaded = load_plan(tmp_path / "plan.json")
    assert (loaded.files.texts, loaded.options, loaded.changes) == (plan.files.texts, plan.options, plan.changes)


def test_a_plan_that_cannot_be_saved_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--out .*/no/plan\.json cannot be written: No such file or directory"):
        save_plan(Plan(Files({}), Options(), ()), tmp_path / "no" / "plan.json")


def test_a_saved_plan_is_deployed_though_its_topics_have_grown_and_not_if_it_would_do_anything_else() -> None:
    def plan(key: str, records: int) -> Plan:
        anew = Change("ksql", "T", "rebuild", (Difference(key, "1", "2"),), (f"about {records} records",))
        return Plan(Files({}), Options(), (anew,))

    _refuse_another(plan("SELECT", 1_235), plan("SELECT", 1_234))
    with pytest.raises(DriftError, match="since this plan was made: ksql T"):
        _refuse_another(plan("WHERE", 1_234), plan("SELECT", 1_234))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "files": {}, "options": 1}'])
def test_what_is_no_plan_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError, match=r"plan\.json:1: (not a plan \(\w+\)|a plan of format 1 is expected)"):
        load_plan(tmp_path / "plan.json")
