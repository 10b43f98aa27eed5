"""`pipeline query` against a real server: queries, what is shown live, and what it refuses."""

from __future__ import annotations

import json

import pytest

from access.http import Endpoint
from pipeline.clients.ksqldb import KsqlDb
from tests.conftest import Stack


@pytest.fixture(scope="module")
def stream(stack: Stack) -> str:
    ksqldb = KsqlDb(Endpoint(stack.ksqldb_url))
    ksqldb.execute(
        "CREATE STREAM asked (id STRING KEY, n INT, price DECIMAL(8, 2), tags ARRAY<STRING>,"
        " place STRUCT<x INT, y MAP<STRING, INT>>)"
        " WITH (KAFKA_TOPIC='asked', VALUE_FORMAT='JSON', PARTITIONS=1);"
    )
    for n in range(3):
        ksqldb.execute(f"INSERT INTO asked (id, n, price, tags) VALUES ('a{n}', {n}, 1.50, ARRAY['x']);")
    return "asked"


def test_a_push_query_prints_a_row_a_line_until_its_limit(stack: Stack, stream: str) -> None:
    asked = stack.pipeline("query", "--from-beginning", f"SELECT id, n, tags FROM {stream} EMIT CHANGES LIMIT 2")
    lines = asked.stdout.splitlines()
    assert asked.returncode == 0
    assert [line.split() for line in lines] == [
        ["ID", "N", "TAGS"],
        ["a0", "0", '["x"]'],
        ["a1", "1", '["x"]'],
        ["2", "rows"],
    ]


def test_money_is_shown_with_all_its_digits(stack: Stack, stream: str) -> None:
    large = "CAST('12345678901234567.80' AS DECIMAL(19, 2)) AS large"
    asked = stack.pipeline("query", "--from-beginning", f"SELECT price, {large} FROM {stream} EMIT CHANGES LIMIT 1")
    assert [line.split() for line in asked.stdout.splitlines()[:2]] == [
        ["PRICE", "LARGE"],
        ["1.50", "12345678901234567.80"],
    ]


def test_rows_as_json_are_one_object_a_line(stack: Stack, stream: str) -> None:
    asked = stack.pipeline("query", "--json", "--from-beginning", f"SELECT id, n FROM {stream} EMIT CHANGES LIMIT 1;")
    assert json.loads(asked.stdout) == {"ID": "a0", "N": 0}


def test_print_shows_the_records_of_a_topic(stack: Stack, stream: str) -> None:
    asked = stack.pipeline("query", f"PRINT '{stream}' FROM BEGINNING LIMIT 1;")
    assert asked.stdout.splitlines()[0] == "Key format: KAFKA_STRING"
    assert '"N":0' in asked.stdout


def test_describe_names_columns_and_types(stack: Stack, stream: str) -> None:
    asked = stack.pipeline("query", f"DESCRIBE {stream};")
    shown = [line.split(maxsplit=1) for line in asked.stdout.splitlines()[1:-1]]
    assert [[name, kind.strip()] for name, kind in shown] == [
        ["ID", "STRING KEY"],
        ["N", "INTEGER"],
        ["PRICE", "DECIMAL(8, 2)"],
        ["TAGS", "ARRAY<STRING>"],
        ["PLACE", "STRUCT<X INTEGER, Y MAP<STRING, INTEGER>>"],
    ]


def test_show_lists_sources(stack: Stack, stream: str) -> None:
    asked = stack.pipeline("query", "--json", "SHOW STREAMS;")
    assert stream in [json.loads(line)["topic"] for line in asked.stdout.splitlines()]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT * FROM nope;", "NOPE does not exist"),
        ("PRINT 'nope';", "Could not find topic 'nope'"),
        ("DESCRIBE nope;", "Could not find STREAM/TABLE 'NOPE'"),
        ("DROP STREAM asked;", "Neither a query nor a print statement"),
    ],
)
def test_what_cannot_be_asked_is_an_error_with_the_servers_reason(
    stack: Stack, stream: str, sql: str, message: str
) -> None:
    asked = stack.pipeline("query", sql)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert message in asked.stderr
    assert "Traceback" not in asked.stderr
    assert stack.pipeline("query", f"DESCRIBE {stream};").returncode == 0
