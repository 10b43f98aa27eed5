"""CONTRIBUTING's lists, followed on a copy of the declarations: what they name is what `pipeline check` asks for."""

from __future__ import annotations

import json
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
    assert findings(project_dir) == []


@pytest.mark.parametrize("forgotten", ["topics.yaml", "sql/99_orders.sql"])
def test_a_forgotten_file_of_a_connector_is_found(project_dir: Path, forgotten: str) -> None:
    if forgotten != "topics.yaml":
        with (project_dir / "topics.yaml").open("a") as topics:
            topics.write(TOPICS)
    for path, text in FILES.items():
        if path != forgotten:
            (project_dir / path).write_text(text)
    assert findings(project_dir)


def test_an_aggregate_is_one_file(project_dir: Path) -> None:
    (project_dir / "ksql/99_events_by_type.sql").write_text(AGGREGATE)
    assert findings(project_dir) == []


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
