"""CONTRIBUTING's lists, followed on a copy of the repository: what they name is what `pipeline check` asks for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.check.all import check
from pipeline.declared.files import read_files
from tests.conftest import ROOT

TOPICS = """
orders:
  doc: Orders, keyed by user_id.
  partitions: 4
  config:
    cleanup.policy: compact
dlq.orders:
  doc: Orders that were refused.
  partitions: 1
  config:
    cleanup.policy: delete
    retention.ms: 2592000000
orders.retry.orders:
  doc: Dead letters of orders that are tried again.
  partitions: 1
  config:
    cleanup.policy: delete
    retention.ms: 604800000
"""
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "namespace": "useranalytics",
    "fields": [{"name": "user_id", "type": "string"}, {"name": "note", "type": "string"}],
}
TABLE = """\
-- One row: the latest order of a user.
CREATE TABLE IF NOT EXISTS orders (
    user_id text PRIMARY KEY,
    note text NOT NULL
);
CREATE OR REPLACE TRIGGER orders_resolve_inserted AFTER INSERT ON orders
    REFERENCING NEW TABLE AS arrived EXECUTE FUNCTION resolve_dead_letters('orders', 'user_id');
"""
AGGREGATE = """\
-- One row: how many events a type had.
SET 'auto.offset.reset' = 'earliest';
SET 'ksql.streams.cache.max.bytes.buffering' = '0';
CREATE TABLE events_by_type WITH (
  KAFKA_TOPIC = 'events-by-type',
  KEY_FORMAT = 'KAFKA',
  VALUE_FORMAT = 'AVRO',
  PARTITIONS = 4
) AS
SELECT event_type, COUNT(*) AS total
FROM events
GROUP BY event_type
EMIT CHANGES;
"""

WISHLIST_MODEL = '''class Wishlist(Envelope):
    """A user remembers a product."""

    event_type: Literal["wishlist"] = "wishlist"
    list_id: Identifier


'''
WISHLIST_SHAPE = """    def _wishlist(self) -> Record:
        return {"event_type": "wishlist", "page": self.product().page, "list_id": f"l-{self._rng.randint(1, 9)}"}

"""


CONNECTOR_ACLS = {
    "producer": "topics: [orders], operations: [Describe, Write]",
    "connect": "topics: [orders, orders.retry.*], operations: [Describe, Read]",
    "deployer": "topics: [orders*], operations: [Alter, AlterConfigs, Create, Describe, DescribeConfigs]",
    "operator": "topics: [orders.retry.*], operations: [Write]",
}
AGGREGATE_ACLS = {
    "ksqldb": (
        "topics: [events-by-type, events-by-type.next], "
        "operations: [Create, Delete, Describe, DescribeConfigs, Read, Write]"
    )
}


def allow(project_dir: Path, rules: dict[str, str]) -> None:
    """Add a rule to each of these parts in acls.yaml."""
    text = (project_dir / "acls.yaml").read_text()
    for part, rule in rules.items():
        first = f"principal: User:{part}\n  allow:\n"
        assert first in text
        text = text.replace(first, f"{first}    - {{{rule}}}\n")
    (project_dir / "acls.yaml").write_text(text)


def findings(project_dir: Path) -> list[str]:
    return [f"{one.path}: {one.what}" for one in check(read_files(project_dir))]


def connector() -> dict[str, str]:
    """Return the connector `users` with topics, table, fields and dead-letter topic of `orders`."""
    text = (ROOT / "connectors/users.json").read_text().replace("users", "orders")
    found: dict[str, str] = json.loads(text)
    return found | {"transforms.declared.include": ",".join(field["name"] for field in SCHEMA["fields"])}


FILES = {
    "schemas/orders-value.avsc": json.dumps(SCHEMA),
    "sql/99_orders.sql": TABLE,
    "connectors/orders.json": json.dumps(connector(), indent=2),
}


def test_a_connector_is_the_files_of_the_list(project_dir: Path) -> None:
    with (project_dir / "topics.yaml").open("a") as topics:
        topics.write(TOPICS)
    for path, text in FILES.items():
        (project_dir / path).write_text(text)
    allow(project_dir, CONNECTOR_ACLS)
    assert findings(project_dir) == []


@pytest.mark.parametrize("forgotten", ["topics.yaml", "sql/99_orders.sql", "acls.yaml"])
def test_a_forgotten_file_of_a_connector_is_found(project_dir: Path, forgotten: str) -> None:
    if forgotten != "topics.yaml":
        with (project_dir / "topics.yaml").open("a") as topics:
            topics.write(TOPICS)
    for path, text in FILES.items():
        if path != forgotten:
            (project_dir / path).write_text(text)
    if forgotten != "acls.yaml":
        allow(project_dir, CONNECTOR_ACLS)
    assert findings(project_dir)


def test_an_aggregate_is_the_files_of_the_list(project_dir: Path) -> None:
    (project_dir / "ksql/99_events_by_type.sql").write_text(AGGREGATE)
    assert findings(project_dir) == [
        f"acls.yaml: ksqldb may not {operation} topics events-by-type, events-by-type.next"
        for operation in ("Create", "Delete", "Write")
    ]
    allow(project_dir, AGGREGATE_ACLS)
    assert findings(project_dir) == []


WISHLIST: dict[str, list[tuple[str, str]]] = {
    "producer/events.py": [
        ("EVENT_MODELS:", WISHLIST_MODEL + "EVENT_MODELS:"),
        ("    Share,\n)", "    Share,\n    Wishlist,\n)"),
        ("CartRemove | Share,", "CartRemove | Share | Wishlist,"),
    ],
    "producer/generators/shapes.py": [
        ('"share": self._pool', '"wishlist": self._pool(self._wishlist),\n            "share": self._pool'),
        ("    def _share", WISHLIST_SHAPE + "    def _share"),
    ],
    "producer/generators/random_mode.py": [('"share": 3,', '"share": 3,\n    "wishlist": 3,')],
    "producer/generators/session_mode.py": [('("share",)', '("share", "wishlist")')],
    "sql/03_user_events.sql": [
        ("'share'", "'share', 'wishlist'"),
        ("channel text,", "channel text,\n    list_id text,"),
    ],
    "schemas/user-events-value.avsc": [
        (
            '    {"name": "channel"',
            '    {"name": "list_id", "type": ["null", "string"], "default": null},\n    {"name": "channel"',
        )
    ],
    "connectors/user-events.json": [(",channel", ",channel,list_id")],
}
MAKE_WISHLISTS = """
import sys
from datetime import UTC, datetime
from itertools import islice
from producer.avro import decode, encoder_for, event_of_record, load_schema
from producer.generators import generate
from producer.generators.population import Population
from producer.generators.timeline import live
from producer.publisher import unix_milliseconds

schema = load_schema("user-events-value")
for mode in ("random", "session"):
    stream = generate(mode, 1, Population(10, 1), live(datetime.now(UTC), None, unix_milliseconds))
    events = [event_of_record(decode(schema, encoder_for(schema, 1).encode(one))) for one in islice(stream, 2000)]
    assert any(event.event_type == "wishlist" and event.list_id for event in events), mode
"""


def followed(project_dir: Path, changes: dict[str, list[tuple[str, str]]]) -> None:
    for package in ("producer", "access"):
        shutil.copytree(ROOT / package, project_dir / package, ignore=shutil.ignore_patterns("__pycache__"))
    for path, replacements in changes.items():
        text = (project_dir / path).read_text()
        for old, new in replacements:
            assert old in text, f"{old} is not in {path} any more"
            text = text.replace(old, new, 1)
        (project_dir / path).write_text(text)


def test_an_event_type_is_the_places_of_the_list(project_dir: Path) -> None:
    followed(project_dir, WISHLIST)
    assert findings(project_dir) == []
    made = subprocess.run(
        [sys.executable, "-c", MAKE_WISHLISTS],
        env={**os.environ, "PYTHONPATH": str(project_dir)},
        cwd=project_dir,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize("forgotten", ["sql/03_user_events.sql", "schemas/user-events-value.avsc"])
def test_a_forgotten_place_of_an_event_type_with_a_field_is_found(project_dir: Path, forgotten: str) -> None:
    followed(project_dir, {path: changes for path, changes in WISHLIST.items() if path != forgotten})
    assert findings(project_dir)


def test_a_dead_letter_reason_is_one_entry(project_dir: Path) -> None:
    shutil.copytree(ROOT / "pipeline", project_dir / "pipeline", ignore=shutil.ignore_patterns("__pycache__"))
    path = project_dir / "pipeline/dead_letters/reasons.py"
    entry = '    ("TooOldException", "written by"): "written by a producer that is too old",\n'
    path.write_text(path.read_text().replace("_CONVERTER = {\n", "_CONVERTER = {\n" + entry))
    script = (
        "from pipeline.dead_letters.reasons import normalise_reason\n"
        "print(normalise_reason('org.example.TooOldException', None, 'written by version 3'))"
    )
    said = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(project_dir)},
        cwd=project_dir,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.stdout, said.stderr) == ("written by a producer that is too old\n", "")


def test_every_file_that_the_lists_name_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## To add …")[2]
    named = {word.strip("`.,;:()") for word in text.split() if "/" in word and "`" in word}
    existing = {
        name
        for name in named
        if "NN_" not in name and "orders" not in name and "…" not in name and name != "sql/migrations/"
    }
    assert len(existing) > 10
    for name in existing:
        assert (ROOT / name).exists(), name
