"""What verify takes for readable is what the engine reads, for every type of a field and of a column."""

from __future__ import annotations

import json
from typing import Any

import pytest

from embedded.ksql import types
from embedded.ksql.formats.avro_decoding import row_decoder
from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.types import Column, SqlType
from pipeline.verify.readable import is_readable

AVRO: list[Any] = [
    *("null", "boolean", "int", "long", "float", "double", "bytes", "string"),
    {"type": "long", "logicalType": "timestamp-millis"},
    {"type": "int", "logicalType": "date"},
    {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2},
    {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 4},
    {"type": "enum", "name": "E", "symbols": ["A"]},
    {"type": "fixed", "name": "F", "size": 2},
    {"type": "array", "items": "string"},
    {"type": "map", "values": "string"},
    {"type": "record", "name": "Inner", "fields": [{"name": "b", "type": "string"}]},
    ["null", "string"],
    ["null", {"type": "array", "items": "string"}],
    ["null", "int", "string"],
    ["null", "int", {"type": "map", "values": "int"}],
]
COLUMNS: list[SqlType] = [
    *(types.BOOLEAN, types.INTEGER, types.BIGINT, types.DOUBLE, types.STRING, types.BYTES),
    *(types.TIMESTAMP, types.DATE, types.TIME, types.decimal(12, 2)),
]


@pytest.mark.parametrize("column", COLUMNS, ids=str)
@pytest.mark.parametrize("avro", AVRO, ids=json.dumps)
def test_a_schema_is_readable_where_the_engine_reads_it(avro: Any, column: SqlType) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "a", "type": avro}, {"name": "b", "type": "string"}]}
    try:
        row_decoder(json.dumps(schema), [Column("A", column)])
    except DeserializationError:
        reads = False
    else:
        reads = True
    assert is_readable(schema, {"A": str(column)}) == reads
