"""Scalar functions: overloads, and results that ksqlDB documents or was seen to give."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from embedded.ksql import types
from embedded.ksql.errors import StatementError
from embedded.ksql.functions.interface import EvaluationError, LambdaShape
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.types import SqlType

BY_PYTHON_TYPE = {bool: types.BOOLEAN, int: types.INTEGER, float: types.DOUBLE, str: types.STRING, bytes: types.BYTES}
S, N, L, D, B, TS = types.STRING, types.INTEGER, types.BIGINT, types.DOUBLE, types.BYTES, types.TIMESTAMP
MONEY = types.decimal(8, 3)
TEXTS, NUMBERS = types.array(S), types.array(N)
MAP = types.mapping(S, N)


def call(name: str, kinds: list[SqlType | None], *values: Any) -> Any:
    resolved = LIBRARY.resolve_scalar(name, kinds)
    return resolved.call(*values)


@pytest.mark.parametrize(
    ("name", "kinds", "values", "result"),
    [
        ("UCASE", [S], ["straße"], "STRASSE"),
        ("INITCAP", [S], ["  Hello wORLD "], "Hello World "),
        ("LEN", [S], ["😀x"], 3),
        ("LPAD", [S, N, S], ["😀x", 6, "*"], "***😀x"),
        ("RPAD", [S, N, S], ["", 3, "ab"], "aba"),
        ("SUBSTRING", [S, N], ["abcdef", -3], "def"),
        ("SUBSTRING", [S, N, N], ["ab", -3, 2], "ab"),
        ("SUBSTRING", [B, N, N], [b"abcdef", 2, 3], b"bcd"),
        ("CONCAT", [S, S, S], [None, "-", "b"], "-b"),
        ("CONCAT_WS", [S, S, S], [", ", None, "z"], "z"),
        ("INSTR", [S, S, N], ["banana", "an", -1], 4),
        ("INSTR", [S, S, N, N], ["banana", "an", 1, 2], 4),
        ("INSTR", [S, S], [None, "an"], 0),
        ("SPLIT", [S, S], ["a,b,,c", ","], ["a", "b", "", "c"]),
        ("SPLIT", [S, S], ["ab", ""], ["a", "b"]),
        ("SPLIT_TO_MAP", [S, S, S], ["apple:green/cherry:red", "/", ":"], {"apple": "green", "cherry": "red"}),
        ("CHR", [N], [75], "K"),
        ("CHR", [S], [r"\u004b"], "K"),
        ("FIELD", [S, S, S], ["b", "a", "b"], 2),
        ("ELT", [N, S, S], [2, "a", "b"], "b"),
        ("ENCODE", [S, S, S], ["4869", "hex", "utf8"], "Hi"),
        ("FROM_BYTES", [B, S], [b"\x01\xff", "hex"], "01FF"),
        ("TO_BYTES", [S, S], ["AQI=", "base64"], b"\x01\x02"),
        ("MASK", [S], ["My Test $123"], "Xx-Xxxx--nnn"),
        ("MASK_LEFT", [S, N], ["Ab1", 2], "Xx1"),
        ("MASK_KEEP_RIGHT", [S, N], ["Ab1", 1], "Xx1"),
        ("REGEXP_EXTRACT", [S, S, N], ["([a-z]+)-([0-9]+)", "abc-123", 2], "123"),
        ("REGEXP_EXTRACT", [S, S, N], ["([a-z]+)", "abc", 3], None),
        ("REGEXP_REPLACE", [S, S, S], ["a1b2", r"([0-9])", "<$1>"], "a<1>b<2>"),
        ("REGEXP_SPLIT_TO_ARRAY", [S, S], ["a1b22c", "[0-9]+"], ["a", "b", "c"]),
        ("URL_EXTRACT_HOST", [S], ["http://u:p@shop.example:8080/a?x=1#f"], "shop.example"),
        ("URL_EXTRACT_PORT", [S], ["http://shop.example:8080/a"], 8080),
        ("URL_EXTRACT_PARAMETER", [S, S], ["http://a/b?x=1&y=a%20b", "y"], "a b"),
        ("URL_ENCODE_PARAM", [S], ["a b&c"], "a+b%26c"),
        ("URL_EXTRACT_HOST", [S], ["no url at all"], None),
        ("ROUND", [D], [-2.5], -2),
        ("ROUND", [D, N], [1.005, 2], 1.01),
        ("ROUND", [N], [3], 3),
        ("ROUND", [MONEY], [Decimal("-2.500")], Decimal(-2)),
        ("TRUNC", [D, N], [1.999, 2], 1.99),
        ("SIGN", [types.decimal(2, 1)], [-2.5], -1),
        ("SQRT", [N], [9], 3.0),
        ("LOG", [N, D], [10, 0.0], float("-inf")),
        ("POWER", [N, N], [-3, 2], 9.0),
        ("LEAST", [types.decimal(4, 1), types.decimal(6, 2)], [Decimal("100.0"), None], Decimal("100.0")),
        ("GREATEST", [S, S], ["a", None], "a"),
        ("NULLIF", [N, N], [3, 3], None),
        ("IFNULL", [S, S], [None, "none"], "none"),
        ("EXTRACTJSONFIELD", [S, S], ['{"a": {"b": [1.50, null]}}', "$.a.b[0]"], "1.50"),
        ("EXTRACTJSONFIELD", [S, S], ['{"a": null}', "$.a"], "null"),
        ("EXTRACTJSONFIELD", [S, S], ["not json", "$"], None),
        ("JSON_RECORDS", [S], ['{"a": 1, "b": {"c": 2}}'], {"a": "1", "b": '{"c":2}'}),
        ("JSON_CONCAT", [S, S], ["[1]", '{"z":1}'], '[1,{"z":1}]'),
        ("JSON_ARRAY_CONTAINS", [S, N], ["[1, 2]", 2], True),
        ("IS_JSON_STRING", [S], ["abc"], False),
        ("ARRAY_SORT", [NUMBERS, S], [[1, None, 3], "DESC"], [3, 1, None]),
        ("ARRAY_MAX", [NUMBERS], [[None, 5]], 5),
        ("ARRAY_JOIN", [TEXTS, S], [["z", None], "|"], "z|null"),
        ("ARRAY_EXCEPT", [NUMBERS, NUMBERS], [[1, 2, 2, 3], [3]], [1, 2]),
        ("SLICE", [NUMBERS, N, N], [[3, 2, 2, 1], 1, 2], [3, 2]),
        ("SLICE", [NUMBERS, N, N], [[], 1, 2], None),
        ("SLICE", [NUMBERS, N, N], [[1, 2], 2, 3], None),
        ("SLICE", [NUMBERS, N, N], [[1, 2], 2, 1], []),
        ("SLICE", [NUMBERS, N, N], [[1, 2], None, 1], [1]),
        ("AS_MAP", [TEXTS, NUMBERS], [["a", "b"], [1]], {"a": 1, "b": None}),
        ("INSTR", [S, S], ["", ""], 0),
        ("CHR", [S], [r"\u004bite"], "Kite"),
        ("CHR", [S], [r"\u4"], None),
        ("CONCAT_WS", [S], ["-"], None),
        ("REGEXP_REPLACE", [S, S, S], ["cost 5", "[0-9]", r"\$$0"], "cost $5"),
        ("REGEXP_REPLACE", [S, S, S], ["ab", "(?<x>a)", "${x}$12"], "aa2b"),
        ("REGEXP_REPLACE", [S, S, S], ["a.b", r"\Q.\E", "-"], "a-b"),
        ("REGEXP_SPLIT_TO_ARRAY", [S, S], ["xxaxbxx", "x*"], ["", "", "a", "", "b"]),
        ("URL_EXTRACT_PARAMETER", [S, S], ["http://a/b?x=1+2&y", "x"], "1+2"),
        ("URL_EXTRACT_PARAMETER", [S, S], ["http://a/b?x=1+2&y", "y"], ""),
        ("JSON_ARRAY_CONTAINS", [S, D], ["[1, 2.5]", 1.0], False),
        ("JSON_ARRAY_CONTAINS", [S, D], ["[1, 2.5]", 2.5], True),
        ("GENERATE_SERIES", [N, N, N], [5, 1, -2], [5, 3, 1]),
        ("MAP_UNION", [MAP, MAP], [None, {"z": 26}], {"z": 26}),
        ("ENTRIES", [MAP, types.BOOLEAN], [{"b": 1, "a": 2}, True], [{"K": "a", "V": 2}, {"K": "b", "V": 1}]),
        ("INT_FROM_BYTES", [B], [b"\x00\x00\x01\x00"], 256),
        ("INT_FROM_BYTES", [B, S], [b"\x00\x01\x00\x00", "LITTLE_ENDIAN"], 256),
        ("UNIX_DATE", [types.DATE], [19_000], 19_000),
    ],
)
def test_functions_give_ksqldbs_results(name: str, kinds: list[SqlType | None], values: list[Any], result: Any) -> None:
    got = call(name, kinds, *values)
    assert got == result
    assert str(got) == str(result)


@pytest.mark.parametrize(
    ("name", "kinds", "returns"),
    [
        ("ABS", [MONEY], MONEY),
        ("ROUND", [MONEY], types.decimal(5, 0)),
        ("ROUND", [N], L),
        ("LEAST", [types.decimal(4, 1), types.decimal(6, 2)], types.decimal(6, 2)),
        ("LEAST", [N, D], D),
        ("COALESCE", [N, None, N], N),
        ("ENTRIES", [MAP, types.BOOLEAN], types.array(types.struct(("K", S), ("V", N)))),
        ("MAP_KEYS", [MAP], TEXTS),
        ("FROM_UNIXTIME", [L], TS),
        ("FROM_UNIXTIME", [N], TS),
    ],
)
def test_return_types_follow_the_arguments(name: str, kinds: list[SqlType | None], returns: SqlType) -> None:
    assert LIBRARY.resolve_scalar(name, kinds).returns == returns


def test_an_argument_is_widened_where_only_one_overload_can_take_it() -> None:
    resolved = LIBRARY.resolve_scalar("GEO_DISTANCE", [D, D, N, D])
    assert resolved.coerce == (None, None, D, None)


def test_lambdas_are_typed_from_left_to_right() -> None:
    shape = LambdaShape(1, lambda kinds: types.STRING if kinds == (types.INTEGER,) else None)
    resolved = LIBRARY.resolve_scalar("TRANSFORM", [NUMBERS, shape])
    assert resolved.returns == TEXTS
    assert resolved.lambda_types == ((types.INTEGER,),)
    assert resolved.call([1, 2], str) == ["1", "2"]
    fold = LIBRARY.resolve_scalar("REDUCE", [NUMBERS, N, LambdaShape(2, lambda kinds: kinds[0])])
    assert fold.call(None, 0, lambda state, value: state + value) == 0


@pytest.mark.parametrize(
    ("name", "kinds", "first_line"),
    [
        ("SUBSTRING", [types.BOOLEAN, N], "Function 'substring' does not accept parameters (BOOLEAN, INTEGER)."),
        ("REPLACE", [S, S], "Function 'replace' does not accept parameters (STRING, STRING)."),
        (
            "LEAST",
            [N, types.decimal(8, 2)],
            "Function 'least' cannot be resolved due to ambiguous method parameters (INTEGER, DECIMAL(8, 2)).",
        ),
        (
            "GREATEST",
            [N, L],
            "Function 'greatest' cannot be resolved due to ambiguous method parameters (INTEGER, BIGINT).",
        ),
        ("SHOUT", [S], "Can't find any functions with the name 'SHOUT'"),
    ],
)
def test_wrong_arguments_are_refused_in_ksqldbs_words(name: str, kinds: list[SqlType | None], first_line: str) -> None:
    with pytest.raises(StatementError) as refused:
        LIBRARY.resolve_scalar(name, kinds)
    assert refused.value.message.splitlines()[0] == first_line


def test_the_alternatives_are_listed_as_ksqldb_lists_them() -> None:
    with pytest.raises(StatementError) as refused:
        LIBRARY.resolve_scalar("SUBSTRING", [types.BOOLEAN, N])
    assert refused.value.message.splitlines()[2:6] == [
        "SUBSTRING(VARCHAR str, INT pos, INT length)",
        "SUBSTRING(BYTES bytes, INT pos, INT length)",
        "SUBSTRING(BYTES bytes, INT pos)",
        "SUBSTRING(VARCHAR str, INT pos)",
    ]


def test_a_null_argument_makes_most_functions_null() -> None:
    assert call("SUBSTRING", [S, N], None, 1) is None
    assert call("POWER", [D, D], 2.0, None) is None


@pytest.mark.parametrize(
    ("name", "kinds", "values"),
    [
        ("ENCODE", [S, S, S], ["a", "utf8", "UTF8"]),
        ("REGEXP_REPLACE", [S, S, S], ["a", "a", "$"]),
        ("URL_DECODE_PARAM", [S], ["100%"]),
        ("GEO_DISTANCE", [D, D, D, D], [91.0, 0.0, 0.0, 0.0]),
        ("GEO_DISTANCE", [D, D, D, D, S], [0.0, 0.0, 0.0, 0.0, "feet"]),
        ("ROUND", [D, N], [float("nan"), 2]),
        ("INSTR", [S, S, N], ["a", "a", None]),
        ("JSON_ARRAY_CONTAINS", [S, N], [None, 1]),
        ("ARRAY_JOIN", [types.array(types.DATE)], [[1]]),
    ],
)
def test_a_value_outside_a_functions_domain_raises(name: str, kinds: list[SqlType | None], values: list[Any]) -> None:
    with pytest.raises(EvaluationError):
        call(name, kinds, *values)


def test_values_a_function_cannot_handle_raise() -> None:
    with pytest.raises(EvaluationError, match="step cannot be zero"):
        call("GENERATE_SERIES", [N, N, N], 1, 5, 0)
    with pytest.raises(EvaluationError, match="Invalid regular expression"):
        call("REGEXP_EXTRACT", [S, S], "(", "x")


def test_every_function_is_described() -> None:
    for listed in LIBRARY.names():
        described = LIBRARY.describe(listed["name"])
        assert described["type"] == listed["type"]
        assert described["functions"]
        assert described["description"]
