"""KAFKA, JSON and DELIMITED, windowed keys, and what each format can hold."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.ksql import types
from embedded.ksql.formats import windowed_keys
from embedded.ksql.formats.delimited import DelimitedSerde, delimiter_of
from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.formats.json_format import BareJsonSerde, JsonSerde
from embedded.ksql.formats.kafka import KafkaSerde
from embedded.ksql.formats.support import message_against, supports
from embedded.ksql.functions.interface import QueryFailedError
from embedded.ksql.planning.plan import WindowInfo
from embedded.ksql.types import Column, SqlType

LONGS = st.integers(-(2**63), 2**63 - 1)
INTS = st.integers(-(2**31), 2**31 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
PRICES = st.integers(-(10**10) + 1, 10**10 - 1).map(lambda cents: Decimal(cents).scaleb(-2))
FLAT = [
    Column("B", types.BOOLEAN),
    Column("I", types.INTEGER),
    Column("L", types.BIGINT),
    Column("D", types.DOUBLE),
    Column("S", types.STRING),
    Column("M", types.decimal(10, 2)),
    Column("T", types.TIMESTAMP),
    Column("X", types.BYTES),
]
FLAT_ROWS = st.tuples(
    st.none() | st.booleans(),
    st.none() | INTS,
    st.none() | LONGS,
    st.none() | st.floats(allow_nan=False),
    st.none() | TEXTS,
    PRICES,
    st.none() | LONGS,
    st.none() | st.binary(min_size=1),
)


@given(FLAT_ROWS)
def test_what_is_written_as_json_is_read_back(row: tuple[Any, ...]) -> None:
    serde = JsonSerde(FLAT)
    data = serde.serialize(row)
    assert data is not None
    assert serde.deserialize(data) == row


@given(FLAT_ROWS, st.sampled_from([",", "|", "SPACE", "TAB", ";"]))
def test_what_is_written_as_delimited_is_read_back(row: tuple[Any, ...], delimiter: str) -> None:
    serde = DelimitedSerde(FLAT, delimiter_of(delimiter))
    data = serde.serialize(row)
    assert data is not None
    expected = tuple(None if value == "" else value for value in row)
    assert serde.deserialize(data) == expected


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (types.INTEGER, INTS),
        (types.BIGINT, LONGS),
        (types.DOUBLE, st.floats(allow_nan=False)),
        (types.STRING, TEXTS),
        (types.BYTES, st.binary()),
    ],
)
def test_what_is_written_as_kafka_is_read_back(kind: SqlType, values: st.SearchStrategy[Any]) -> None:
    serde = KafkaSerde([Column("V", kind)])

    @given(values)
    def check(value: Any) -> None:
        data = serde.serialize((value,))
        assert data is not None
        assert serde.deserialize(data) == (value,)

    check()
    assert serde.serialize((None,)) is None


def test_a_kafka_number_of_the_wrong_size_is_an_error() -> None:
    with pytest.raises(DeserializationError, match="`V` BIGINT in KAFKA format takes 8 bytes, got 3"):
        KafkaSerde([Column("V", types.BIGINT)]).deserialize(b"abc")


def test_nested_json_is_read_and_written() -> None:
    place = types.struct(("CITY", types.STRING), ("zip", types.INTEGER))
    serde = JsonSerde([Column("P", types.array(place)), Column("M", types.mapping(types.STRING, types.DOUBLE))])
    data = '{"P":[{"CITY":"Züri","zip":8000},null],"M":{"a":1.5,"b":null}}'
    row = ([{"CITY": "Züri", "zip": 8000}, None], {"a": 1.5, "b": None})
    assert serde.deserialize(data.encode()) == row
    assert serde.serialize(row) == data.encode()


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (types.INTEGER, '"12"', 12),
        (types.INTEGER, "1.7", 1),
        (types.INTEGER, "5000000000", 705032704),
        (types.DOUBLE, '"1e3"', 1000.0),
        (types.STRING, "1.50", "1.50"),
        (types.STRING, "true", "true"),
        (types.STRING, '{"a": [1, "x"]}', '{"a":[1,"x"]}'),
        (types.STRING, '[1, "x"]', "[1, x]"),
        (types.decimal(6, 2), '"7.25"', Decimal("7.25")),
        (types.decimal(6, 2), "5", Decimal("5.00")),
        (types.BYTES, '"AQI="', b"\x01\x02"),
        (types.BOOLEAN, "null", None),
    ],
)
def test_json_is_read_leniently(kind: SqlType, text: str, value: Any) -> None:
    (read,) = JsonSerde([Column("V", kind)]).deserialize(f'{{"v": {text}}}'.encode())
    assert read == value
    assert str(read) == str(value)
    assert BareJsonSerde(Column("V", kind)).deserialize(text.encode()) == (value,)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (types.INTEGER, '"many"'),
        (types.INTEGER, "true"),
        (types.BOOLEAN, '"true"'),
        (types.BOOLEAN, "1"),
        (types.decimal(6, 2), "1.255"),
        (types.decimal(6, 2), "12345.67"),
        (types.BYTES, '"?"'),
        (types.array(types.INTEGER), "{}"),
        (types.DOUBLE, "NaN"),
    ],
)
def test_json_that_does_not_fit_is_an_error(kind: SqlType, text: str) -> None:
    with pytest.raises(DeserializationError):
        JsonSerde([Column("V", kind)]).deserialize(f'{{"V": {text}}}'.encode())


def test_a_bare_json_value_is_no_row_and_null_is_a_row_of_nulls() -> None:
    serde = JsonSerde([Column("A", types.INTEGER)])
    with pytest.raises(DeserializationError, match="WRAP_SINGLE_VALUE"):
        serde.deserialize(b"1")
    assert serde.deserialize(b"null") == (None,)


def test_a_back_quoted_field_is_not_matched_in_another_case() -> None:
    serde = JsonSerde([Column("first name", types.STRING), Column("LAST", types.STRING)])
    assert serde.deserialize(b'{"FIRST NAME": "a", "last": "b"}') == (None, "b")


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (("pen", 3, Decimal("1.25")), b"pen,3,1.25"),
        (("ink, blue", None, Decimal("9.50")), b'"ink, blue",,9.50'),
        (("", 0, Decimal("0.10")), b'"",0,0.10'),
        (('say "hi"', -1, Decimal("0.00")), b'"say ""hi""",-1,0.00'),
    ],
)
def test_delimited_is_quoted_only_where_needed(row: tuple[Any, ...], line: bytes) -> None:
    columns = [Column("A", types.STRING), Column("N", types.INTEGER), Column("M", types.decimal(8, 2))]
    assert DelimitedSerde(columns).serialize(row) == line


def test_a_null_decimal_ends_a_query_that_writes_delimited() -> None:
    with pytest.raises(QueryFailedError, match="Column `M`"):
        DelimitedSerde([Column("M", types.decimal(8, 2))]).serialize((None,))


@pytest.mark.parametrize("line", [b"too,few", b"a,1,2,extra", b"a,x,2.0", b""])
def test_a_line_that_does_not_fit_is_an_error(line: bytes) -> None:
    columns = [Column("A", types.STRING), Column("N", types.INTEGER), Column("D", types.DOUBLE)]
    with pytest.raises(DeserializationError):
        DelimitedSerde(columns).deserialize(line)


@given(st.binary(), LONGS, LONGS)
def test_windowed_keys_are_taken_apart_again(key: bytes, start: int, end: int) -> None:
    session = windowed_keys.wrap(key, (start, end), "SESSION")
    assert windowed_keys.unwrap(session, WindowInfo("SESSION", None)) == (key, (start, end))
    tumbling = windowed_keys.wrap(key, (start, end), "TUMBLING")
    assert windowed_keys.unwrap(tumbling, WindowInfo("TUMBLING", 60_000)) == (key, (start, start + 60_000))


def test_a_key_too_short_for_its_window_is_an_error() -> None:
    with pytest.raises(DeserializationError, match="ends with 16 bytes of time; got 3"):
        windowed_keys.unwrap(b"abc", WindowInfo("SESSION", None))


def test_formats_say_what_they_cannot_hold() -> None:
    two = [Column("ID", types.STRING), Column("V", types.INTEGER)]
    assert message_against("KAFKA", two, is_key=True) == (
        "Key format does not support schema.\nformat: KAFKA\n"
        "schema: Persistence{columns=[`ID` STRING KEY, `V` INTEGER KEY], features=[]}\n"
        "reason: The 'KAFKA' format only supports a single field. Got: [`ID` STRING KEY, `V` INTEGER KEY]"
    )
    nested = [Column("V", types.array(types.INTEGER))]
    assert not supports("DELIMITED", nested, is_key=False)
    assert "does not support type 'ARRAY', column: `V`" in str(message_against("DELIMITED", nested, is_key=False))
    assert not supports("KAFKA", [Column("B", types.BOOLEAN)], is_key=False)
    assert supports("AVRO", two, is_key=True)
