"""AVRO: the wire format, schemas, and codecs that agree with fastavro."""

from __future__ import annotations

import io
import json
import struct
from decimal import Decimal
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.ksql import types
from embedded.ksql.errors import StatementError
from embedded.ksql.formats.avro import AvroSerde, columns_of, key_schema_name, schema_of
from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.formats.serdes import key_serde, value_serde
from embedded.ksql.planning.plan import Format
from embedded.ksql.types import Column, SqlType

LONGS = st.integers(-(2**63), 2**63 - 1)
INTS = st.integers(-(2**31), 2**31 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))

SCALAR_VALUES: dict[types.Base, st.SearchStrategy[Any]] = {
    types.Base.BOOLEAN: st.booleans(),
    types.Base.INTEGER: INTS,
    types.Base.DATE: INTS,
    types.Base.TIME: INTS,
    types.Base.BIGINT: LONGS,
    types.Base.TIMESTAMP: LONGS,
    types.Base.DOUBLE: st.floats(allow_nan=False),
    types.Base.STRING: TEXTS,
    types.Base.BYTES: st.binary(),
}


class Registry:
    """Schemas in a list; the id is the place."""

    def __init__(self) -> None:
        self.schemas: list[str] = []
        self.subjects: list[str] = []

    def latest(self, subject: str) -> tuple[int, str] | None:
        return (len(self.schemas), self.schemas[-1]) if subject in self.subjects else None

    def by_id(self, schema_id: int) -> str:
        if not 0 < schema_id <= len(self.schemas):
            raise LookupError(schema_id)
        return self.schemas[schema_id - 1]

    def register(self, subject: str, schema: str) -> int:
        self.subjects.append(subject)
        self.schemas.append(schema)
        return len(self.schemas)


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    limit = 10**precision - 1
    return st.integers(-limit, limit).map(lambda unscaled: Decimal(unscaled).scaleb(-scale))


def values_of(kind: SqlType) -> st.SearchStrategy[Any]:
    """Values of a type, null among them."""
    if kind.base in SCALAR_VALUES:
        return st.none() | SCALAR_VALUES[kind.base]
    if kind.base is types.Base.DECIMAL:
        return st.none() | decimals(kind.precision, kind.scale)
    if kind.base is types.Base.STRUCT:
        return st.none() | st.fixed_dictionaries({name: values_of(field) for name, field in kind.fields})
    assert kind.element is not None
    elements = values_of(kind.element)
    if kind.base is types.Base.ARRAY:
        return st.none() | st.lists(elements, max_size=3)
    return st.none() | st.dictionaries(TEXTS, elements, max_size=3)


SCALARS = st.sampled_from(
    [
        types.BOOLEAN,
        types.INTEGER,
        types.BIGINT,
        types.DOUBLE,
        types.STRING,
        types.BYTES,
        types.TIMESTAMP,
        types.DATE,
        types.TIME,
        types.decimal(10, 2),
        types.decimal(25, 0),
    ]
)
KINDS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        inner.map(types.array),
        inner.map(lambda kind: types.mapping(types.STRING, kind)),
        st.tuples(inner, inner).map(lambda pair: types.struct(("X", pair[0]), ("Y", pair[1]))),
    ),
    max_leaves=4,
)


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[Column], tuple[Any, ...]]:
    kinds = draw(st.lists(KINDS, min_size=1, max_size=5))
    return (
        [Column(f"C{index}", kind) for index, kind in enumerate(kinds)],
        tuple(draw(values_of(kind)) for kind in kinds),
    )


@given(rows())
def test_what_is_written_as_avro_is_read_back(case: tuple[list[Column], tuple[Any, ...]]) -> None:
    columns, row = case
    serde = value_serde(Format("AVRO"), columns, topic="t", registry=Registry())
    data = serde.serialize(row)
    assert data is not None
    assert serde.deserialize(data) == row


@given(rows(), st.sets(st.integers(0, 4)))
def test_columns_that_are_used_are_read_and_the_others_may_be_null(
    case: tuple[list[Column], tuple[Any, ...]], indexes: set[int]
) -> None:
    columns, row = case
    registry = Registry()
    data = AvroSerde(columns, "t-value", registry).serialize(row)
    assert data is not None
    used = {f"C{index}" for index in indexes}
    found = value_serde(Format("AVRO"), columns, topic="t", registry=registry, used=used).deserialize(data)
    for column, value, expected in zip(columns, found, row, strict=True):
        assert value == expected or (column.name not in used and value is None)


def test_optional_fields_are_read_whether_all_or_some_of_them_are_null() -> None:
    columns = [Column(f"C{index}", types.STRING) for index in range(9)]
    registry = Registry()
    serde = AvroSerde(columns, "t-value", registry)
    for nulls in range(10):
        for row in ((None,) * nulls + ("x",) * (9 - nulls), ("x",) * (9 - nulls) + (None,) * nulls):
            data = serde.serialize(row)
            assert data is not None
            assert serde.deserialize(data) == row
            assert AvroSerde(columns, "t-value", registry, used={"C8"}).deserialize(data) == (None,) * 8 + (row[8],)


def test_a_field_that_nobody_asks_for_must_be_of_its_columns_type_all_the_same() -> None:
    registry = Registry()
    AvroSerde([Column("A", types.STRING)], "t-value", registry).serialize(("x",))
    serde = AvroSerde([Column("A", types.INTEGER)], "t-value", registry, used=set())
    with pytest.raises(DeserializationError, match="field A: Avro string cannot be read as INTEGER"):
        serde.deserialize(b"\x00\x00\x00\x00\x01\x00")


def test_long_text_and_half_a_surrogate_pair_are_written_too() -> None:
    columns = [Column("A", types.STRING), Column("B", types.BIGINT)]
    serde = AvroSerde(columns, "t-value", Registry())
    for text, read in (("ä" * 10_000, "ä" * 10_000), ("a\ud800", "a?")):
        data = serde.serialize((text, -5))
        assert data is not None
        assert serde.deserialize(data) == (read, -5)


def test_a_negative_length_is_an_error() -> None:
    registry = Registry()
    serde = AvroSerde([Column("A", types.STRING)], "t-value", registry)
    serde.register()
    for used in (None, set[str]()):
        reader = AvroSerde([Column("A", types.STRING)], "t-value", registry, used=used)
        with pytest.raises(DeserializationError, match="a length of -1"):
            reader.deserialize(b"\x00\x00\x00\x00\x01\x02\x01")


@given(rows())
def test_fastavro_reads_and_writes_the_same_bytes(case: tuple[list[Column], tuple[Any, ...]]) -> None:
    columns, row = case
    serde = AvroSerde(columns, "t-value", Registry())
    data = serde.serialize(row)
    assert data is not None
    plain = fastavro.parse_schema(_without_logical_types(json.loads(serde.schema)))
    record = fastavro.schemaless_reader(io.BytesIO(data[5:]), plain, None)
    again = io.BytesIO()
    fastavro.schemaless_writer(again, plain, record)
    assert again.getvalue() == data[5:]


def _without_logical_types(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _without_logical_types(value) for key, value in schema.items() if key != "logicalType"}
    return [_without_logical_types(item) for item in schema] if isinstance(schema, list) else schema


@given(rows())
def test_columns_are_inferred_from_the_schema_they_gave(case: tuple[list[Column], tuple[Any, ...]]) -> None:
    columns, _ = case
    assert columns_of(schema_of(columns)) == [(column.name, column.type) for column in columns]


@given(rows(), st.integers(0, 30))
def test_a_cut_record_is_an_error_or_shorter_but_never_a_crash(
    case: tuple[list[Column], tuple[Any, ...]], cut: int
) -> None:
    columns, row = case
    serde = value_serde(Format("AVRO"), columns, topic="t", registry=Registry())
    data = serde.serialize(row)
    assert data is not None
    try:
        serde.deserialize(data[: max(len(data) - cut, 0)])
    except DeserializationError:
        assert cut > 0


PLACE = {"type": "record", "name": "P", "fields": [{"name": "zip", "type": "int"}]}
FOREIGN = {
    "type": "record",
    "name": "Visit",
    "namespace": "shop",
    "fields": [
        {"name": "unused", "type": {"type": "array", "items": {"type": "map", "values": "long"}}},
        {"name": "page", "type": "string"},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["VIEW", "BUY"]}},
        {"name": "again", "type": ["Kind", "null"]},
        {"name": "paid", "type": {"type": "bytes", "logicalType": "decimal", "precision": 6, "scale": 2}},
        {"name": "seen", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "micros", "type": {"type": "long", "logicalType": "timestamp-micros"}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "f", "type": "float"},
        {"name": "hash", "type": {"type": "fixed", "name": "Hash", "size": 2}},
        {"name": "labels", "type": {"type": "map", "values": ["null", "int"]}},
        {
            "name": "place",
            "type": ["null", {"type": "record", "name": "P", "fields": [{"name": "zip", "type": "int"}]}],
        },
    ],
}


def test_a_foreign_schema_gives_columns_and_their_values() -> None:
    registry = Registry()
    schema_id = registry.register("visits-value", json.dumps(FOREIGN))
    columns = [Column(name, kind) for name, kind in columns_of(json.dumps(FOREIGN))]
    assert [f"{column.name} {column.type}" for column in columns] == [
        "UNUSED ARRAY<MAP<STRING, BIGINT>>",
        "PAGE STRING",
        "KIND STRING",
        "AGAIN STRING",
        "PAID DECIMAL(6, 2)",
        "SEEN TIMESTAMP",
        "MICROS BIGINT",
        "DAY DATE",
        "F DOUBLE",
        "HASH BYTES",
        "LABELS MAP<STRING, INTEGER>",
        "PLACE STRUCT<`ZIP` INTEGER>",
    ]
    body = io.BytesIO()
    record = {
        "unused": [{"a": 1}],
        "page": "/a",
        "kind": "BUY",
        "again": None,
        "paid": b"\xff\x85",
        "seen": 1_700_000_000_123,
        "micros": 5,
        "day": 19_000,
        "f": 1.5,
        "hash": b"ab",
        "labels": {"x": None, "y": 3},
        "place": {"zip": 8000},
    }
    fastavro.schemaless_writer(body, fastavro.parse_schema(_without_logical_types(FOREIGN)), record)
    data = struct.pack(">bI", 0, schema_id) + body.getvalue()
    serde = value_serde(Format("AVRO"), columns, topic="visits", registry=registry)
    assert serde.deserialize(data) == (
        [{"a": 1}], "/a", "BUY", None, Decimal("-1.23"), 1_700_000_000_123, 5, 19_000, 1.5, b"ab", {"x": None, "y": 3},
        {"ZIP": 8000},
    )  # fmt: skip
    narrow = value_serde(
        Format("AVRO"), [Column("SEEN", types.BIGINT), Column("NEW", types.STRING)], topic="v", registry=registry
    )
    assert narrow.deserialize(data) == (1_700_000_000_123, None)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "has 0 bytes, too short for a schema id"),
        (b"\x00\x00\x00", "has 3 bytes"),
        (b'{"a": 1}', "starts with byte 123, not 0"),
        (b"\x00\x00\x00\x00\x07\x00", "names schema id 7, which the registry lacks"),
    ],
)
def test_bytes_that_are_not_confluent_avro_say_what_is_wrong(data: bytes, message: str) -> None:
    serde = value_serde(Format("AVRO"), [Column("A", types.INTEGER)], topic="t", registry=Registry())
    with pytest.raises(DeserializationError, match=message):
        serde.deserialize(data)


def test_a_field_of_another_type_is_refused_by_name() -> None:
    registry = Registry()
    value_serde(Format("AVRO"), [Column("A", types.STRING)], topic="t", registry=registry).serialize(("x",))
    serde = value_serde(Format("AVRO"), [Column("A", types.INTEGER)], topic="t", registry=registry)
    with pytest.raises(DeserializationError, match="field A: Avro string cannot be read as INTEGER"):
        serde.deserialize(b"\x00\x00\x00\x00\x01\x00")


def test_one_key_column_is_a_bare_value_and_several_are_a_record() -> None:
    registry = Registry()
    one = key_serde(Format("AVRO"), [Column("A", types.INTEGER)], topic="t", registry=registry)
    assert one.serialize((3,)) == b"\x00\x00\x00\x00\x01\x02\x06"
    assert one.deserialize(b"\x00\x00\x00\x00\x01\x02\x06") == (3,)
    assert one.serialize((None,)) is None
    two = key_serde(
        Format("AVRO", (("FULL_SCHEMA_NAME", key_schema_name("BY_AB")),)),
        [Column("A", types.INTEGER), Column("B", types.STRING)],
        topic="t",
        registry=registry,
    )
    two.serialize((1, "x"))
    assert json.loads(registry.schemas[1])["name"] == "ByAbKey"
    assert registry.subjects == ["t-key", "t-key"]


def test_the_schema_written_is_ksqldbs() -> None:
    schema = json.loads(schema_of([Column("N", types.BIGINT), Column("M", types.decimal(8, 2))]))
    assert (schema["name"], schema["namespace"]) == ("KsqlDataSourceSchema", "io.confluent.ksql.avro_schemas")
    assert schema["fields"][0] == {"name": "N", "type": ["null", "long"], "default": None}
    decimal = schema["fields"][1]["type"][1]
    assert (decimal["logicalType"], decimal["precision"], decimal["scale"]) == ("decimal", 8, 2)


def test_a_recursive_schema_is_refused_as_columns_and_skipped_as_a_field() -> None:
    node = {"type": "record", "name": "Node", "fields": [{"name": "next", "type": ["null", "Node"]}]}
    with pytest.raises(StatementError, match=r"Recursive schemas are not supported: .*Node"):
        columns_of(json.dumps(node))
    root = {"type": "record", "name": "Root", "fields": [{"name": "n", "type": node}, {"name": "a", "type": "int"}]}
    registry = Registry()
    registry.register("t-value", json.dumps(root))
    serde = value_serde(Format("AVRO"), [Column("A", types.INTEGER)], topic="t", registry=registry)
    assert serde.deserialize(b"\x00\x00\x00\x00\x01\x02\x02\x00\x06") == (3,)
