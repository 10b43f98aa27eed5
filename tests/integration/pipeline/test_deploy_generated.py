"""On real servers, for declarations that nobody has written: after a deployment, there is nothing left to do."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.declared.files import Files
from pipeline.deploy.all import deploy
from pipeline.plan.change import Kind
from pipeline.plan.compare import Options
from pipeline.plan.plan import make_plan
from pipeline.plan.servers import servers_of
from pipeline.settings import Location, load_stack_settings
from tests.conftest import ROOT, Stack

KINDS: tuple[Kind, ...] = ("topic", "schema", "ksql")
NAMES = st.sampled_from(["g-a", "g-b", "g-c"])
CONFIGS = st.fixed_dictionaries(
    {},
    optional={
        "retention.ms": st.sampled_from(["-1", "3600000", "604800000"]),
        "cleanup.policy": st.sampled_from(["delete", "compact", "compact,delete"]),
        "max.message.bytes": st.sampled_from(["1048588", "2000000"]),
    },
)
# Every field may be null, so that any two versions can read each other.
FIELDS = st.lists(st.sampled_from("uvwxyz"), unique=True, min_size=1, max_size=4).map(sorted)
WHERE = st.sampled_from(["x > 1", "x > 2", "x IS NOT NULL"])


@st.composite
def projects(draw: st.DrawFn) -> Files:
    topics = {
        name: {"doc": "generated", "partitions": 1, "config": config}
        for name, config in draw(st.dictionaries(NAMES, CONFIGS)).items()
    }
    texts = {}
    for name, fields in draw(st.dictionaries(NAMES, FIELDS)).items():
        listed = [{"name": field, "type": ["null", "int"], "default": None} for field in fields]
        texts[f"schemas/{name}-value.avsc"] = json.dumps({"type": "record", "name": "G", "fields": listed})
    topics["g-source"] = {"doc": "generated", "partitions": 1, "config": {}}
    texts["topics.yaml"] = json.dumps(topics)
    source = "CREATE STREAM g_source (x INT) WITH (KAFKA_TOPIC = 'g-source', VALUE_FORMAT = 'JSON');"
    texts["ksql/01_g_source.sql"] = source
    texts["ksql/02_g_big.sql"] = f"CREATE STREAM g_big AS SELECT * FROM g_source WHERE {draw(WHERE)} EMIT CHANGES;"
    return Files({Path(path): text for path, text in texts.items()})


@given(one=projects(), other=projects())
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_there_and_back_nothing_is_left_to_do(stack: Stack, one: Files, other: Files) -> None:
    addresses = load_stack_settings(Location(state_dir=stack.state_dir, project_dir=ROOT))
    for files in (one, other, one):
        list(deploy(files, addresses, Options(KINDS)))
        plan = make_plan(files, servers_of(addresses), Options(KINDS))
        assert [change for change in plan.changes if change.changes] == []
