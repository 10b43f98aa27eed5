from __future__ import annotations

from decimal import Decimal

import pytest

from embedded.ksql.planning.pull import PullColumn
from embedded.ksql.rest.answers import LIMIT_REACHED, AnswerText, layout_for
from embedded.ksql.rest.values import value_writer
from embedded.ksql.types import BIGINT, BYTES, DATE, DOUBLE, STRING, TIME, TIMESTAMP, SqlType, array, decimal, struct

COLUMNS = [PullColumn("USER_ID", STRING, is_key=True), PullColumn("N", BIGINT, is_key=False)]


def answer(accept: str | None, path: str, *, final_message: str | None = None) -> str:
    layout = layout_for(accept, path)
    assert layout is not None
    text, rows = AnswerText(layout, "query_1", COLUMNS), [("a", 3), (None, None)]
    return text.whole(rows) if final_message is None else text.begin() + text.rows(rows) + text.end(final_message)


@pytest.mark.parametrize("accept", ["application/vnd.ksqlapi.delimited.v1", "*/*", None])
def test_query_stream_answers_one_line_a_row(accept: str | None) -> None:
    header = '{"queryId":"query_1","columnNames":["USER_ID","N"],"columnTypes":["STRING","BIGINT"]}'
    assert answer(accept, "/query-stream") == f'{header}\n["a",3]\n[null,null]\n'


def test_query_answers_with_an_envelope_a_row_and_says_that_the_limit_is_reached() -> None:
    assert answer("application/vnd.ksql.v1+json", "/query", final_message=LIMIT_REACHED) == (
        '[{"header":{"queryId":"query_1","schema":"`USER_ID` STRING KEY, `N` BIGINT"}},\n'
        '{"row":{"columns":["a",3]}},\n{"row":{"columns":[null,null]}},\n{"finalMessage":"Limit Reached"}]'
    )


def test_plain_text_is_no_layout() -> None:
    assert layout_for("text/plain", "/query") is None


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (TIMESTAMP, 1_795_466_437_396, '"2026-11-23T20:40:37.396"'),
        (DATE, 0, '"1970-01-01"'),
        (TIME, 3_600_000, '"01:00"'),
        (TIME, 3_601_999, '"01:00:01"'),
        (TIME, 90_000_000, '"25:00"'),
        (TIMESTAMP, 253_402_300_800_000, '"10000-01-01T00:00:00.000"'),
        (TIMESTAMP, -12_219_292_800_001, '"1582-10-04T23:59:59.999"'),
        (TIMESTAMP, -62_135_769_600_001, '"0001-12-31T23:59:59.999"'),
        (TIMESTAMP, (1 << 63) - 1, '"292278994-08-17T07:12:55.807"'),
        (TIMESTAMP, -(1 << 63), '"292269055-12-02T16:47:04.192"'),
        (DATE, 2_932_897, '"+10000-01-01"'),
        (DATE, -719_529, '"-0001-12-31"'),
        (BYTES, b"\x01\x02", '"AQI="'),
        (DOUBLE, 4.0, "4.0"),
        (decimal(12, 2), Decimal("1.50"), "1.50"),
        (array(TIMESTAMP), [0, None], '["1970-01-01T00:00:00.000",null]'),
        (struct(("A", BIGINT), ("B", DATE)), {"A": 1, "B": None}, '{"A":1,"B":null}'),
        (STRING, None, "null"),
    ],
)
def test_values_are_written_as_the_rest_api_writes_them(kind: SqlType, value: object, text: str) -> None:
    assert value_writer(kind)(value) == text
