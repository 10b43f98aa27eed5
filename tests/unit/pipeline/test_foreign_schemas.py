"""Records that name a schema with which no record of ours is written: none of them ends a command."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from pipeline.clients.avro import wire_value, writer_schema
from pipeline.dead_letters.avro import AvroCodec

NO_OBJECTS = ('"string"', '["null", "string"]', 'syntax = "proto3"; message User { string id = 1; }')
VALUE = wire_value(7, b"\x02a")


def registered(text: str, _: int) -> Any:
    """Read a schema as the client of the registry does."""
    return json.loads(text)


@pytest.mark.parametrize("text", NO_OBJECTS)
def test_a_schema_that_is_no_object_is_no_writers_schema(text: str) -> None:
    assert writer_schema(partial(registered, text), 7) is None
    assert AvroCodec(partial(registered, text)).decode(VALUE) is None


@pytest.mark.parametrize(
    "fields",
    [
        [{"name": "address", "type": "com.example.Address"}],  # of another subject, by the registry's references
        [{"type": "string"}],
    ],
)
def test_a_schema_that_refers_to_another_or_is_broken_makes_a_letter_that_cannot_be_decoded(
    fields: list[dict[str, str]],
) -> None:
    text = json.dumps({"type": "record", "name": "User", "fields": fields})
    assert AvroCodec(partial(registered, text)).decode(VALUE) is None
