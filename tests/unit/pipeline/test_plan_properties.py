"""Planning, whatever is declared and whatever is deployed."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from access.acls import CLUSTER, Acl, Operation, Resource
from pipeline.declared.files import Files
from pipeline.declared.project import Project, parse_project
from pipeline.plan.change import KINDS, Change, Identity
from pipeline.plan.compare import Options, compare
from pipeline.plan.deployed import (
    Deployed,
    DeployedAcls,
    DeployedConnector,
    DeployedKsql,
    DeployedSchema,
    DeployedSql,
    DeployedTopic,
    Recorded,
)
from tests.unit.pipeline.deployed_world import CONNECTOR_DEFAULTS, TOPIC_DEFAULTS, World

NAMES = st.sampled_from(["a", "b", "c", "d"])
PARTITIONS = {"a": 1, "b": 2, "c": 3, "d": 4}  # never changed: that is refused
TOPIC_CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "retention.ms": st.sampled_from(["-1", "1000", "604800000"]),
        "cleanup.policy": st.sampled_from(["delete", "compact", "compact,delete", "delete,compact"]),
        "max.message.bytes": st.sampled_from(["1048588", "2000000"]),
    },
)
CONNECTOR_CONFIGS = st.fixed_dictionaries(
    {"connector.class": st.just("x"), "connection.password": st.just("${env:PG_PASSWORD}")},
    optional={
        "topics": st.sampled_from(["a", "a,b", "b"]),
        "tasks.max": st.sampled_from(["1", "2"]),
        "batch.size": st.sampled_from(["500", "2000"]),
    },
)
OPERATIONS: st.SearchStrategy[Operation] = st.sampled_from(["All", "Alter", "Describe", "Read", "Write"])
PATTERNS = NAMES | st.sampled_from(["*", "a*", "ab", "ab*"])
RULES = st.fixed_dictionaries(
    {"topics": st.lists(PATTERNS, min_size=1), "operations": st.lists(OPERATIONS, min_size=1)},
    optional={"groups": st.lists(PATTERNS), "transactional_ids": st.lists(PATTERNS), "cluster": st.booleans()},
)
PRINCIPALS = st.sampled_from(["User:a", "User:b", "User:*"])
PARTS = st.fixed_dictionaries({"doc": st.just(""), "principal": PRINCIPALS, "allow": st.lists(RULES, min_size=1)})
FIELDS = st.lists(NAMES, unique=True, max_size=3)
SELECTED = st.sampled_from(["*", "x", "x, COUNT(*) AS n", "x AS y"])
CATALOGS = st.dictionaries(NAMES.map("column t.{}".format), st.sampled_from(["text", "integer"]), min_size=1)


def avro(fields: list[str]) -> str:
    listed = [{"name": name, "type": ["null", "int"], "default": None} for name in fields]
    return json.dumps({"type": "record", "name": "R", "fields": listed})


@st.composite
def texts(draw: st.DrawFn) -> dict[str, str]:
    topics = {
        name: {"doc": "", "partitions": PARTITIONS[name], "config": config}
        for name, config in draw(st.dictionaries(NAMES, TOPIC_CONFIGS)).items()
    }
    files = {"topics.yaml": json.dumps(topics)}
    if draw(st.booleans()):
        files["acls.yaml"] = json.dumps(draw(st.dictionaries(NAMES, PARTS)))
    for name, config in draw(st.dictionaries(NAMES, CONNECTOR_CONFIGS)).items():
        files[f"connectors/{name}.json"] = json.dumps(config)
    for name, fields in draw(st.dictionaries(NAMES, FIELDS)).items():
        files[f"schemas/{name}-value.avsc"] = avro(fields)
    for name, selected in draw(st.dictionaries(NAMES, SELECTED)).items():
        comment = draw(st.sampled_from(["", "-- why\n"]))
        files[f"ksql/01_{name}.sql"] = f"{comment}CREATE TABLE {name} AS SELECT {selected} FROM s GROUP BY x;"
    for name in draw(st.lists(NAMES, unique=True)):
        files[f"sql/01_{name}.sql"] = "-- One row: x"
    for name in draw(st.lists(NAMES, unique=True)):
        files[f"sql/migrations/0001_{name}.sql"] = "SELECT 1;"
    return files


def project(files: Mapping[str, str]) -> Project:
    return parse_project(Files({Path(path): text for path, text in files.items()}))


def deploy(world: World, declared: Project) -> list[Change]:
    changes = compare(declared, world.seen(declared), Options(prune=True))
    world.deploy(changes, declared)
    return changes


CATALOGS_OF = st.fixed_dictionaries({name: CATALOGS.map(dict) for name in "abcd"}).map(
    lambda catalogs: {
        name: {key.replace(" t.", f" {name}."): value for key, value in items.items()}
        for name, items in catalogs.items()
    }
)


@st.composite
def acls(draw: st.DrawFn) -> Acl:
    resource: Resource = draw(st.sampled_from(["topic", "group", "transactional_id", "cluster"]))
    pattern = CLUSTER if resource == "cluster" else draw(PATTERNS)
    prefixed = pattern.endswith("*") and pattern != "*"
    name = pattern.removesuffix("*") if prefixed else pattern
    return Acl(draw(PRINCIPALS), resource, name, prefixed, draw(OPERATIONS))


ALLOWED = st.frozensets(acls())


@given(texts(), ALLOWED)
def test_acls_are_only_ever_added_and_only_where_the_cluster_authorises(
    files: dict[str, str], allowed: frozenset[Acl]
) -> None:
    declared = project(files)
    world = World({}, acls=allowed)
    deploy(world, declared)
    assert world.acls is not None
    assert allowed <= world.acls
    for acl in (acl for part in declared.acls for acl in part.acls()):
        assert any(one.covers(acl) for one in world.acls)
    open_world = World({}, acls=None)
    assert [change for change in deploy(open_world, declared) if change.kind == "acl"] == []


@given(texts(), CATALOGS_OF)
def test_after_a_deployment_there_is_nothing_left_to_do(files: dict[str, str], catalogs: Any) -> None:
    world, declared = World(catalogs), project(files)
    deploy(world, declared)
    again = compare(declared, world.seen(declared), Options())
    assert [change for change in again if change.changes] == []


@given(texts(), texts(), CATALOGS_OF)
def test_there_and_back_is_where_it_was(one: dict[str, str], other: dict[str, str], catalogs: Any) -> None:
    # Registries and migrations only ever go forward, tables are only dropped by migrations.
    world, declared = World(catalogs), project(one)
    deploy(world, declared)
    before = copy.deepcopy(world)
    deploy(world, project(other))
    deploy(world, declared)
    assert effective(world) == effective(before)
    assert world.ksql.keys() == before.ksql.keys()
    assert [change for change in compare(declared, world.seen(declared), Options(prune=True)) if change.changes] == []


def effective(world: World) -> dict[str, Any]:
    """Return what holds, whether it was set or is the default."""
    policies = {name: (partitions, {**TOPIC_DEFAULTS, **config}) for name, (partitions, config) in world.topics.items()}
    for _, config in policies.values():
        config["cleanup.policy"] = ",".join(sorted(config["cleanup.policy"].split(",")))
    connectors = {name: {**CONNECTOR_DEFAULTS, **config} for name, config in world.connectors.items()}
    return {"topics": policies, "connectors": connectors, "subjects": world.schemas.keys()}


TEXT = st.text(max_size=20)
ITEMS = st.dictionaries(TEXT, TEXT, max_size=3)
IDENTITIES = st.builds(Identity, st.sampled_from(KINDS), NAMES | NAMES.map(str.upper))
DEPLOYED = st.builds(
    Deployed,
    acls=st.builds(DeployedAcls, ALLOWED, st.none()),
    topics=st.dictionaries(NAMES, st.builds(DeployedTopic, st.integers(0, 5), ITEMS, ITEMS)),
    schemas=st.dictionaries(
        NAMES.map("{}-value".format),
        st.builds(DeployedSchema, ITEMS | st.just(json.loads(avro(["a"]))), st.none() | TEXT, st.booleans()),
    ),
    sql=st.builds(
        DeployedSql,
        before=ITEMS,
        migrated=ITEMS,
        after=ITEMS,
        declared=st.dictionaries(NAMES, ITEMS),
        refusals=st.dictionaries(IDENTITIES, TEXT),
        migrations=st.dictionaries(NAMES.map("0001_{}".format), TEXT),
        fresh=st.booleans(),
    ),
    ksql=st.dictionaries(
        NAMES.map(str.upper),
        st.builds(
            DeployedKsql, st.sampled_from(["STREAM", "TABLE"]), TEXT, TEXT, st.lists(NAMES).map(tuple), st.just(())
        ),
    ),
    connectors=st.dictionaries(NAMES, st.builds(DeployedConnector, ITEMS, ITEMS)),
    recorded=st.dictionaries(IDENTITIES, st.builds(Recorded, TEXT, TEXT, st.none() | TEXT, st.booleans())),
)


@given(texts(), DEPLOYED, st.booleans())
def test_whatever_is_deployed_a_plan_names_every_declaration_once(
    files: dict[str, str], deployed: Deployed, prune: bool
) -> None:
    declared = project(files)
    changes = compare(declared, deployed, Options(prune=prune))
    named = [change.identity for change in changes]
    assert len(named) == len(set(named))
    wanted = {
        *(Identity("acl", one.name) for one in declared.acls),
        *(Identity("topic", one.name) for one in declared.topics),
        *(Identity("schema", one.subject) for one in declared.schemas),
        *(Identity("migration", one.name) for one in declared.migrations),
        *(Identity("table", one.name) for one in declared.sql),
        *(Identity("ksql", one.name) for one in declared.ksql),
        *(Identity("connector", one.name) for one in declared.connectors),
    }
    assert wanted <= set(named)
    extra = {identity for identity in named if identity not in wanted}
    assert extra <= {identity for identity, record in deployed.recorded.items() if record.created}
