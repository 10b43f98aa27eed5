"""Avro's schema resolution: what a newer schema can read of an older one's data."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.check.compatibility import incompatibilities
from tests.avro_pairs import COMPATIBLE, INCOMPATIBLE, record


@pytest.mark.parametrize(("reader", "writer"), COMPATIBLE)
def test_what_can_be_read_is_compatible(reader: Any, writer: Any) -> None:
    assert incompatibilities(record(reader), record(writer)) == []


@pytest.mark.parametrize(("reader", "writer"), INCOMPATIBLE)
def test_what_cannot_be_read_is_named_with_its_field(reader: Any, writer: Any) -> None:
    ((field, reason),) = incompatibilities(record(reader), record(writer))
    assert field == "f"
    assert reason


def test_a_new_field_needs_a_default_and_a_lost_one_nothing() -> None:
    one = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]}
    two = {"type": "record", "name": "R", "fields": [*one["fields"], {"name": "b", "type": "int"}]}
    assert incompatibilities(one, two) == []
    assert incompatibilities(two, one) == [("b", "b is new and has no default")]


def test_a_changed_scale_is_named_though_the_registry_lets_it_pass() -> None:
    def amount(scale: int) -> dict[str, Any]:
        return record({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": scale})

    ((_, reason),) = incompatibilities(amount(2), amount(3))
    assert reason == "f had scale 3 and has now 2: old amounts would be misread"


def test_a_renamed_record_is_found_unless_an_alias_says_so() -> None:
    old = {"type": "record", "name": "a.Old", "fields": []}
    assert incompatibilities({**old, "name": "New"}, old) == [("", "type Old is now called New")]
    assert incompatibilities({**old, "name": "New", "aliases": ["Old"]}, old) == []


def test_a_type_that_holds_itself_is_compared_once() -> None:
    node = {
        "type": "record",
        "name": "Node",
        "fields": [{"name": "next", "type": ["null", "Node"]}, {"name": "value", "type": "int"}],
    }
    assert incompatibilities(node, node) == []
