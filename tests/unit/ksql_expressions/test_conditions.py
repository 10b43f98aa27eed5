"""Comparisons are false for nulls; everything else that meets a null makes the column null."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedded.ksql.expressions.compiler import compile_predicate, compile_row_function, generated_source
from embedded.ksql.expressions.patterns import like
from embedded.ksql.expressions.typing import type_of
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language.parser import parse_expression
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.plan import TypedExpression
from embedded.ksql.types import BIGINT, BOOLEAN, INTEGER, STRING, Column, Schema

SCHEMA = Schema((Column("K", STRING),), (Column("A", INTEGER), Column("B", INTEGER), Column("S", STRING)))


def typed_expression(text: str) -> TypedExpression:
    expression = parse_expression(text)
    return TypedExpression(expression, type_of(expression, SCHEMA, LIBRARY))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("IFNULL(a_null[1], -1)", -1),
        ("IFNULL(CAST(NULL AS MAP<STRING, INT>)['a'], -1)", -1),
        ("COALESCE(UNIX_DATE(PARSE_DATE(s, 'yyyy')), 7)", 7),
        ("COALESCE(CAST(s AS INT), 7)", 7),
        ("COALESCE(i_null + 1, 7)", None),
        ("COALESCE(ABS(i_null + 1), 7)", 7),
        ("PARSE_DATE(s, 'yyyy') IS NULL", None),
        ("NOT UNIX_DATE(PARSE_DATE(s, 'yyyy')) = 1", True),
        ("ARRAY[PARSE_DATE(s, 'yyyy')]", [None]),
        ("s LIKE 'a!' ESCAPE '!'", None),
        ("i_null + 1 IS NULL", None),
    ],
)
def test_only_casts_arguments_and_elements_are_null_by_themselves_where_they_fail(
    evaluate: Callable[..., Any], text: str, expected: object
) -> None:
    assert evaluate(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("i > 1", True),
        ("i_null > 1", False),
        ("NOT i_null > 1", True),
        ("i_null <> 1", False),
        ("i_null = i_null", False),
        ("i = l", False),
        ("d = 2.50", True),
        ("m >= 10.5", True),
        ("i_null IN (1, 2)", False),
        ("s IN (7, TRUE, 'abc')", True),
        ("s IN (7, 2.50)", False),
        ("a IN (ARRAY['10', 20, 30], NULL)", True),
        ("mp IN (MAP('a' := '1'))", True),
        ("st IN (STRUCT(f := '5'), st)", True),
        ("7 IN (i, j)", True),
        ("NULL IN (i, j)", False),
        ("1 IS NULL", False),
        ("5 IS DISTINCT FROM i_null", True),
        ("a_null[1] IS NULL", True),
        ("i_null NOT IN (1, 2)", True),
        ("i IN (1, '7', NULL)", True),
        ("m IN (10.5, 3)", True),
        ("i IN (j, i_null)", False),
        ("i NOT BETWEEN 1 AND 5", True),
        ("i_null NOT BETWEEN 1 AND 5", True),
        ("i + j BETWEEN 8 AND 9", True),
        ("ok AND i_null > 1", False),
        ("ok_null OR TRUE", None),
        ("TRUE OR ok_null", True),
        ("TRUE AND ok_null", None),
        ("NOT ok_null", None),
        ("(ok_null AND TRUE) IS NULL", None),
        ("s_null LIKE 'a%'", None),
        ("s LIKE 'a_c'", True),
        ("s LIKE s", True),
        ("s NOT LIKE '%d'", True),
        ("i_null IS DISTINCT FROM i", True),
        ("i_null IS NOT DISTINCT FROM i_null", True),
        ("t > '2023-12-31'", True),
        ("t = '2024-01-01T00:00:00.000'", True),
        ("t > 'soon'", None),
        ("t_null > 'soon'", False),
        ("t = dt", True),
        ("tm >= '12:00:00'", True),
        ("'b' > s", True),
        ("CASE WHEN i_null > 1 THEN 'a' WHEN ok THEN 'b' END", "b"),
        ("CASE WHEN ok_null THEN 1 ELSE 2 END", None),
        ("CASE WHEN i > 100 THEN 1 END", None),
        ("(i_null + 1) IS NULL", None),
        ("CAST(i_null + 1 AS DOUBLE) IS NULL", True),
        ("CAST('x' AS INT) IS NULL", True),
        ("CAST(s AS INT) IS NULL", True),
        ("CAST(i + 1 AS STRING) = '8'", True),
    ],
)
def test_conditions(evaluate: Callable[..., Any], text: str, expected: object) -> None:
    result = evaluate(text)
    assert (type(result), result) == (type(expected), expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a[1]", 10),
        ("a[-1]", 30),
        ("a[0]", None),
        ("a[4]", None),
        ("a_null[1]", None),
        ("mp['a']", 1),
        ("mp['z']", None),
        ("st->f", 5),
        ("st->g->h", "deep"),
        ("st_null->f", None),
        ("ARRAY[i, j, 3]", [7, 2, 3]),
        ("ARRAY[i / 0, j]", [None, 2]),
        ("STRUCT(p := i_null + 1)", {"P": None}),
        ("MAP('x' := i)", {"x": 7}),
        ("STRUCT(p := i, q := s)", {"P": 7, "Q": "abc"}),
        ("AS_VALUE(k)", "key"),
        ("ROWTIME", 1000),
        ("WINDOWSTART", 0),
        ("WINDOWEND", 60_000),
        ("ROWPARTITION", 3),
        ("ROWOFFSET", 42),
        ("NULL", None),
    ],
)
def test_access_and_construction(evaluate: Callable[..., Any], text: str, expected: object) -> None:
    assert evaluate(text) == expected


@given(st.text(), st.text())
def test_text_is_ordered_by_code_unit(evaluate: Callable[..., Any], left: str, right: str) -> None:
    def order(text: str) -> bytes:
        return text.encode("utf-16-be", "surrogatepass")

    assert evaluate("s < s_null", S=left, S_NULL=right) is (order(left) < order(right))


def test_bytes_are_ordered_by_their_sign(evaluate: Callable[..., Any]) -> None:
    assert evaluate("TO_BYTES('80', 'hex') < TO_BYTES('01', 'hex')") is True
    assert evaluate("GREATEST(TO_BYTES('80', 'hex'), TO_BYTES('01', 'hex'))") == b"\x01"


@given(st.text(alphabet="ab%_.\n", max_size=6), st.text(alphabet="ab%_.\n", max_size=6))
def test_like_follows_a_simple_model(value: str, pattern: str) -> None:
    def matches(text: str, rest: str) -> bool:
        if not rest:
            return not text
        if rest[0] == "%":
            return matches(text, rest[1:]) or (text != "" and text[0] != "\n" and matches(text[1:], rest))
        return (
            text != "" and (rest[0] == text[0] or (rest[0] == "_" and text[0] != "\n")) and matches(text[1:], rest[1:])
        )

    assert like(value, pattern) is matches(value, pattern)


def test_a_failing_expression_leaves_the_others_alone_and_is_reported() -> None:
    failures: list[tuple[Row, str]] = []
    compute = compile_row_function(
        [typed_expression(text) for text in ("a / b", "a + b", "k")],
        SCHEMA,
        LIBRARY,
        failures=lambda row, message: failures.append((row, message)),
        names=("Q", "P", "K2"),
    )
    good, bad = Row(("x",), (6, 3, None), 0), Row(None, (6, 0, None), 0)
    assert compute(good) == (2, 9, "x")
    assert compute(bad) == (None, 6, None)
    assert [row for row, _ in failures] == [bad]
    assert failures[0][1].startswith("Error computing expression (A / B) for column Q with index 0: ")


def test_a_cast_that_swallows_its_operands_exception_reports_it() -> None:
    failures: list[str] = []
    compute = compile_row_function(
        [typed_expression("CAST(a / b AS DOUBLE)")],
        SCHEMA,
        LIBRARY,
        failures=lambda _, message: failures.append(message),
    )
    assert compute(Row(None, (6, 0, None), 0)) == (None,)
    assert len(failures) == 1
    assert failures[0].startswith("Error processing DOUBLE: ")


def test_a_predicate_is_false_for_failures_and_for_rows_without_a_value() -> None:
    failures: list[str] = []
    accepts = compile_predicate(
        typed_expression("a / b = 2 OR ROWTIME > 5"),
        SCHEMA,
        LIBRARY,
        failures=lambda _, message: failures.append(message),
    )
    assert accepts(Row(None, (6, 3, None), 0))
    assert accepts(Row(None, (1, 1, None), 6))
    assert not accepts(Row(None, (1, 1, None), 0))
    assert not accepts(Row(None, (1, 0, None), 6))
    assert len(failures) == 1
    by_time = compile_predicate(typed_expression("ROWTIME > 5"), SCHEMA, LIBRARY)
    assert by_time(Row(None, (None, None, None), 6))
    assert not by_time(Row(None, None, 6))


def test_a_column_is_read_once_however_often_it_is_used() -> None:
    source = generated_source([typed_expression("a + a * a"), typed_expression("b")], SCHEMA, LIBRARY)
    assert source.count("value[0]") == 1
    assert source.count("value[1]") == 1


def test_a_value_column_hides_a_key_column_of_the_same_name() -> None:
    schema = Schema((Column("K", STRING),), (Column("K", BIGINT), Column("OK", BOOLEAN)))
    expression = parse_expression("k")
    compute = compile_row_function([TypedExpression(expression, BIGINT)], schema, LIBRARY)
    assert compute(Row(("key",), (5, True), 0)) == (5,)
