"""What the recorded cases leave open, as ksqlDB's documentation and its behaviour elsewhere settle it."""
# ruff: noqa: E501 - one case a line

from __future__ import annotations

from typing import Any

import pytest

from embedded.ksql.cases.replay import differences

EVENTS = "CREATE STREAM s (k STRING KEY, v INT, t STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='{}');"


def case(statements: list[str], inputs: list[tuple[Any, Any]], outputs: list[tuple[Any, Any]]) -> dict[str, Any]:
    """Return a case with the topics s and O, one input a millisecond."""
    return {
        "group": "dialect",
        "name": "one",
        "statements": statements,
        "inputs": [
            {"topic": "s", "key": key, "value": value, "timestamp": time}
            for time, (key, value) in enumerate(inputs, start=1)
        ],
        "outputs": {
            "O": [{"key": key, "value": value, "timestamp": time} for time, (key, value) in enumerate(outputs, start=1)]
        },
    }


def computed(column: str, kind: str, expression: str, value: Any, result: Any) -> dict[str, Any]:
    """Return the case of one expression over one value."""
    return case(
        [
            f"CREATE STREAM s (k STRING KEY, {column} {kind}) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');",
            f"CREATE STREAM o AS SELECT k, {expression} AS x FROM s;",
        ],
        [("a", {column.upper(): value})],
        [("a", {"X": result})],
    )


@pytest.mark.parametrize(
    ("column", "kind", "expression", "value", "result"),
    [
        ("t", "STRING", "CHR(t)", "\\ud83d\\ude00", "😀"),
        ("t", "STRING", "ENCODE(t, 'utf8', 'hex')", "Jk", "4a6b"),
        ("t", "STRING", "ENCODE(t, 'hex', 'utf8')", "x'4A6b'", "Jk"),
        ("t", "STRING", "ENCODE(t, 'hex', 'utf8')", "0xA6b", "\nk"),
        ("t", "STRING", "ENCODE(t, 'hex', 'utf8')", "A6b", None),
        ("t", "STRING", "ENCODE(t, 'hex', 'utf8')", "X''", ""),
        ("t", "STRING", "ENCODE(t, 'hex', 'utf8')", "X'", None),
        ("t", "STRING", "JSON_RECORDS(t)", '{"a": "b", "c": [1]}', {"a": "b", "c": "[1]"}),
        ("t", "STRING", "EXTRACTJSONFIELD(t, '$.a')", ' {"a": "b"}} and more', "b"),
        ("t", "STRING", "ROUND(GEO_DISTANCE(0.0E0, 0.0E0, 0.0E0, 1.0E0, t))", None, 111),
        ("t", "STRING", "ROUND(GEO_DISTANCE(0.0E0, 0.0E0, 0.0E0, 1.0E0, t))", "miles", 69),
        ("d", "DOUBLE", "GEO_DISTANCE(d, 0.0E0, 0.0E0, 1.0E0)", None, None),
        ("t", "STRING", "UNIX_DATE(PARSE_DATE(t, 'dd-MMM-yyyy'))", "02-JAN-1970", 1),
        ("t", "STRING", "FORMAT_TIME(PARSE_TIME(t, 'hh:mm a'), 'HH:mm')", "01:30 pM", "13:30"),
        ("t", "STRING", "STRINGTOTIMESTAMP(t, 'yyyy-MM-dd HH:mmX')", "1970-01-01 00:01z", 60_000),
        ("t", "STRING", "UNIX_TIMESTAMP(PARSE_TIMESTAMP(t, 'yyyy-MM-dd HH:mm zzz'))", "2024-07-01 00:00 PST", 1719817200000),
        ("b", "BIGINT", "TIMESTAMPTOSTRING(b, 'HH:mm zzz', 'America/Los_Angeles')", 1719817200000, "00:00 PDT"),
        ("b", "BIGINT", "TIMESTAMPTOSTRING(b, 'HH:mm VV', 'America/Los_Angeles')", 1719817200000, "00:00 America/Los_Angeles"),
        ("d", "DATE", "GREATEST(d, '1970-01-05', NULL)", 2, 4),
        ("d", "DATE", "FORMAT_DATE('1970-01-05', 'dd')", 2, "05"),
        ("d", "DOUBLE", "4.9E-324", 1, 4.9e-324),
        ("i", "INT", "MAP('a' := i, CAST(NULL AS STRING) := 2)", 1, {"a": 1, "null": 2}),
        ("i", "INT", "ARRAY[STRUCT(x := i), STRUCT(y := 'b')]", 1, [{"X": 1, "Y": None}, {"X": None, "Y": "b"}]),
    ],
)  # fmt: skip
def test_a_function_gives(column: str, kind: str, expression: str, value: Any, result: Any) -> None:
    assert differences(computed(column, kind, expression, value, result)) == []


def test_topk_with_more_columns_keeps_rows() -> None:
    statements = [EVENTS.format("JSON"), "CREATE TABLE o AS SELECT k, TOPK(v, t, v + 1, 2) AS top FROM s GROUP BY k;"]
    inputs: list[tuple[Any, Any]] = [
        ("a", {"V": 1, "T": "x"}),
        ("a", {"V": 3, "T": None}),
        ("a", {"V": None, "T": "y"}),
        ("a", {"V": 2, "T": "z"}),
    ]
    one, three, two = (
        {"sort_col": 1, "col0": "x", "col1": 2},
        {"sort_col": 3, "col0": None, "col1": 4},
        {"sort_col": 2, "col0": "z", "col1": 3},
    )
    tops = [[one], [three, one], [three, one], [three, two]]
    assert differences(case(statements, inputs, [("a", {"TOP": top}) for top in tops])) == []


def test_delimited_quotes_a_first_field_that_begins_with_anything_but_a_letter_or_digit() -> None:
    statements = [EVENTS.format("JSON"), "CREATE STREAM o WITH (VALUE_FORMAT='DELIMITED') AS SELECT k, v, t FROM s;"]
    inputs: list[tuple[Any, Any]] = [("a", {"V": -1, "T": "-x"}), ("a", {"V": 1, "T": "_"})]
    assert differences(case(statements, inputs, [("a", '"-1",-x'), ("a", "1,_")])) == []


def test_partition_by_computes_the_key_of_a_record_without_a_value_from_its_old_key() -> None:
    statements = [
        EVENTS.format("JSON"),
        "CREATE STREAM o WITH (KEY_FORMAT='JSON') AS SELECT k + '!' AS n, v, k, t FROM s PARTITION BY k + '!', v;",
    ]
    inputs: list[tuple[Any, Any]] = [("a", {"V": 1, "T": "x"}), ("a", None), (None, {"T": "x"})]
    outputs: list[tuple[Any, Any]] = [
        ({"N": "a!", "V": 1}, {"K": "a", "T": "x"}),
        ({"N": "a!", "V": None}, None),
        ({"N": "null!", "V": None}, {"K": None, "T": "x"}),
    ]
    assert differences(case(statements, inputs, outputs)) == []


def test_partition_by_a_single_null_writes_no_key() -> None:
    statements = [EVENTS.format("JSON"), "CREATE STREAM o AS SELECT v, k, t FROM s PARTITION BY v;"]
    assert (
        differences(case(statements, [("a", {"T": "x"}), ("a", None)], [(None, {"K": "a", "T": "x"}), (None, None)]))
        == []
    )


def test_a_star_under_partition_by_a_struct_field_or_rowtime_names_the_key_after_it() -> None:
    statements = [
        "CREATE STREAM s (k STRING KEY, a STRUCT<town STRING>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');",
        "CREATE STREAM o AS SELECT * FROM s PARTITION BY a->town;",
        "CREATE STREAM p AS SELECT * FROM s PARTITION BY ROWTIME;",
    ]
    made = case(statements, [("a", {"A": {"TOWN": "Oslo"}})], [("Oslo", {"A": {"TOWN": "Oslo"}, "K": "a"})])
    made["outputs"]["P"] = [{"key": 1, "value": {"A": {"TOWN": "Oslo"}, "K": "a"}, "timestamp": 1}]
    assert differences(made) == []


def test_numbers_are_widened_for_the_stream_they_are_inserted_into() -> None:
    statements = [
        EVENTS.format("JSON"),
        "CREATE STREAM o (k STRING KEY, a BIGINT, b DECIMAL(5,2), c DOUBLE) WITH (KAFKA_TOPIC='O', VALUE_FORMAT='JSON');",
        "INSERT INTO o SELECT k, v AS a, 2.5 AS b, v AS c FROM s;",
    ]
    assert differences(case(statements, [("a", {"V": 1})], [("a", {"A": 1, "B": "2.50", "C": 1.0})])) == []


def test_a_window_s_bounds_may_be_qualified_and_computed_with() -> None:
    statements = [
        EVENTS.format("JSON"),
        "CREATE TABLE o AS SELECT k, s.WINDOWSTART + 1 AS a, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY k;",
    ]
    made = case(statements, [("a", {"V": 1})], [("a", {"A": 1, "N": 1})])
    made["outputs"]["O"][0]["window"] = {"start": 0, "end": 1000}
    assert differences(made) == []


def test_avro_inputs_may_hold_maps_and_have_avro_keys() -> None:
    statements = [
        "CREATE STREAM s (k STRUCT<a INT> KEY, m MAP<STRING, INT>, b BYTES, d DECIMAL(33,3), f DOUBLE, l ARRAY<DATE>) WITH (KAFKA_TOPIC='s', FORMAT='AVRO');",
        "CREATE STREAM o AS SELECT * FROM s;",
    ]
    value = {"M": {"x": 1}, "B": "AQI=", "D": "123456789012345678901234567890.125", "F": "NaN", "L": [3, None]}
    assert differences(case(statements, [({"A": 5}, value)], [({"A": 5}, value)])) == []


def test_avro_inputs_follow_the_registered_schema() -> None:
    made = case(
        ["CREATE STREAM s WITH (KAFKA_TOPIC='s', KEY_FORMAT='NONE', VALUE_FORMAT='AVRO');", "CREATE STREAM o AS SELECT * FROM s;"],
        [("", {"inner": {"n": 1, "next": {"n": 2}}, "either": "x", "kind": "B", "raw": 2.5, "map": {"z": True}})],
        [(None, {"INNER": {"N": 1, "NEXT": {"N": 2}}, "EITHER": "x", "KIND": "B", "RAW": 2.5, "MAP": {"z": True}, "OTHER": 7})],
    )  # fmt: skip
    leaf = {"type": "record", "name": "Leaf", "namespace": "n", "fields": [{"name": "n", "type": "int"}]}
    inner = [{"name": "n", "type": "int"}, {"name": "next", "type": leaf}]
    made["schemas"] = {
        "s-value": {
            "type": "record",
            "name": "Value",
            "fields": [
                {"name": "inner", "type": {"type": "record", "name": "Inner", "fields": inner}},
                {"name": "either", "type": ["null", "string"]},
                {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
                {"name": "raw", "type": "double"},
                {"name": "map", "type": {"type": "map", "values": "boolean"}},
                {"name": "other", "type": "int", "default": 7},
            ],
        }
    }
    assert differences(made) == []


def test_a_case_may_set_define_and_insert_values() -> None:
    statements = [
        "SET 'ksql.persistence.default.format.value' = 'DELIMITED';",
        "DEFINE limit_of = '3';",
        "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s');",
        "UNSET 'ksql.persistence.default.format.value';",
        "CREATE STREAM o AS SELECT k, v FROM s WHERE v < ${limit_of};",
        "INSERT INTO s (ROWTIME, k, v) VALUES (1, 'a', 2);",
        "INSERT INTO s (ROWTIME, k, v) VALUES (2, 'a', 4);",
        "SHOW STREAMS;",
    ]
    made = case(statements, [("b", "1")], [("a", "2"), ("b", "1")])
    made["inputs"][0]["timestamp"] = 2
    assert differences(made) == []


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (
            "INSERT INTO s (k, nope) VALUES ('a', 1);",
            "Failed to insert values into 'S'. Column name `NOPE` does not exist.",
        ),
        (
            "INSERT INTO s (k, v) VALUES ('a');",
            "Failed to prepare statement: Expected number columns and values to match: 2, 1",
        ),
        (
            "INSERT INTO s VALUES ('a', 1);",
            "Failed to insert values into 'S'. Expected a value for each column. Expected Columns: []. Got ['a', 1]",
        ),
        (
            "INSERT INTO s (k, ROWOFFSET) VALUES ('a', 1);",
            "Failed to insert values into 'S'. Inserting into column `ROWOFFSET` is not allowed.",
        ),
        (
            "INSERT INTO s (k, v) VALUES ('a', x.y);",
            "Failed to prepare statement: 'X' is not a valid stream/table name or alias.",
        ),
        ("INSERT INTO nope VALUES ('a', 1);", "Cannot insert values into an unknown stream/table: `NOPE`"),
        (
            "INSERT INTO s (k, v) VALUES ('a', v + 1);",
            "Failed to insert values into 'S'. Unsupported column reference in insert value: (V + 1)",
        ),
        ("INSERT INTO s (k, v) VALUES ('a', CAST('x' AS INT));", "Failed to insert values into 'S'. "),
        ("SET 'nope' = '1';", "Unknown property: nope"),
    ],
)
def test_a_case_may_expect_that_an_insert_or_a_setting_is_refused(statement: str, message: str) -> None:
    made = case([EVENTS.format("JSON"), statement], [], [])
    del made["outputs"]
    made["error"] = {"statement": 1, "status": 400, "message": message}
    assert differences(made) == []


@pytest.mark.parametrize(
    ("kind", "value", "got"),
    [
        ("DECIMAL(4, 2)", "1.555", "DECIMAL(1.555)"),
        ("DECIMAL(4, 2)", "1234.5", "DECIMAL(1234.5)"),
        ("BIGINT", "1.5", "DECIMAL(1.5)"),
        ("INTEGER", "10000000000", "BIGINT(10000000000)"),
        ("BOOLEAN", "'true'", "STRING(true)"),
        ("BYTES", "'!'", "STRING(!)"),
        ("TIMESTAMP", "'x'", "STRING(x). Timestamp format must be yyyy-mm-ddThh:mm:ss[.S]"),
        ("TIME", "'25:00'", "STRING(25:00). Time format must be hh:mm:ss[.S]"),
        ("DATE", "'2024-13'", "STRING(2024-13). Date format must be yyyy-mm-dd"),
        ("ARRAY<INTEGER>", "ARRAY[1.5]", "ARRAY([1.5])"),
        ("MAP<STRING, INTEGER>", "MAP('b' := 'c')", "MAP({b=c})"),
        ("STRUCT<`X` INTEGER>", "STRUCT(x := 1.5)", "STRUCT(Struct{X=1.5})"),
    ],
)
def test_an_inserted_value_of_another_type_must_lose_nothing(kind: str, value: str, got: str) -> None:
    create = f"CREATE STREAM s (k STRING KEY, v {kind}) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
    made = case([create, f"INSERT INTO s (k, v) VALUES ('a', {value});"], [], [])
    del made["outputs"]
    message = f"Failed to insert values into 'S'. Expected type {kind} for field `V` but got {got}"
    made["error"] = {"statement": 1, "status": 400, "message": message}
    assert differences(made) == []


def test_fields_of_inputs_may_be_named_in_any_case() -> None:
    for format_name in ("AVRO", "JSON"):
        made = case([EVENTS.format(format_name), "CREATE STREAM o AS SELECT * FROM s;"], [], [])
        made["inputs"] = [{"topic": "s", "key": "a", "value": {"v": 5}, "timestamp": 0}] * 2
        made["outputs"] = {"O": [{"key": "a", "value": {"V": 5, "T": None}, "timestamp": 0}] * 2}
        assert differences(made) == []


def test_inserted_numbers_widen_and_text_becomes_times_and_bytes_inside_collections_too() -> None:
    statements = [
        (
            "CREATE STREAM s (k STRING KEY, d DECIMAL(4, 2), a ARRAY<BIGINT>, m MAP<STRING, DOUBLE>, t TIME, b BYTES,"
            " p STRUCT<x DATE, y INT>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
        ),
        "CREATE STREAM o AS SELECT * FROM s;",
        (
            "INSERT INTO s (ROWTIME, k, d, a, m, t, b, p)"
            " VALUES (1, 'a', 3, ARRAY[1], MAP('z' := 2), '10:30', 'YWI=', STRUCT(x := '2024'));"
        ),
    ]
    value = {"D": "3.00", "A": [1], "M": {"z": 2.0}, "T": 37_800_000, "B": "YWI=", "P": {"X": 19_723, "Y": None}}
    made = case(statements, [], [("a", value)])
    made["outputs"]["O"][0]["timestamp"] = 1
    assert differences(made) == []


def test_an_inferred_key_is_one_column_and_so_is_an_unwrapped_value() -> None:
    made = case(
        [
            "CREATE STREAM s WITH (KAFKA_TOPIC='s', FORMAT='AVRO', WRAP_SINGLE_VALUE=FALSE);",
            "CREATE STREAM o AS SELECT * FROM s;",
        ],
        [({"n": 1}, {"n": 2}), (None, {"n": None})],
        [({"N": 1}, {"ROWVAL": {"N": 2}}), (None, {"ROWVAL": {"N": None}})],
    )
    record = {"type": "record", "name": "R", "fields": [{"name": "n", "type": ["null", "int"]}]}
    made["schemas"] = {"s-key": record, "s-value": record}
    made["sinks"] = {
        "O": {
            "name": "O",
            "type": "STREAM",
            "key_format": "AVRO",
            "value_format": "AVRO",
            "columns": [
                {"name": "ROWKEY", "type": "STRUCT<`N` INTEGER>", "key": True},
                {"name": "ROWVAL", "type": "STRUCT<`N` INTEGER>"},
            ],
        }
    }
    assert differences(made) == []


@pytest.mark.parametrize(
    ("column", "kind", "expression", "value", "result"),
    [
        ("m", "MAP<STRING, INT>", "MAP_KEYS(m)", {"zoo": 1, "apple": 2, "kiwi": 3}, ["apple", "kiwi", "zoo"]),
        ("m", "MAP<STRING, INT>", "CAST(m AS STRING)", {"b": 1, "a": 2}, "{a=2, b=1}"),
        ("m", "MAP<STRING, INT>", "MAP_VALUES(MAP_UNION(m, MAP('a' := 9)))", {"b": 1}, [9, 1]),
        ("m", "MAP<STRING, INT>", "ENTRIES(m, false)", {"b": 1, "a": 2}, [{"K": "a", "V": 2}, {"K": "b", "V": 1}]),
        ("m", "MAP<STRING, INT>", "TRANSFORM(m, (x, y) => x, (x, y) => y)", {"a": None}, None),
        ("m", "MAP<STRING, INT>", "FILTER(m, (x, y) => true)", {"a": None}, None),
        ("m", "MAP<STRING, INT>", "FILTER(m, (x, y) => y > 1)", {"a": None, "b": 2}, {"b": 2}),
        ("a", "ARRAY<BOOLEAN>", "FILTER(a, x => x)", [True, None], None),
        ("a", "ARRAY<INT>", "TRANSFORM(a, x => CASE WHEN x > 1 THEN x ELSE CAST(NULL AS INT) END)", [1, 2], [None, 2]),
        ("t", "STRING", "MAP_KEYS(SPLIT_TO_MAP(t, ';', '='))", "b=1;a=2", ["a", "b"]),
        ("t", "STRING", "SPLIT_TO_MAP(t, ';', ';')", "b;1", None),
        ("s", "STRUCT<b INT, a DATE>", "TO_JSON_STRING(s)", {"B": 1, "A": 1}, '{"A":"1970-01-02","B":1}'),
        ("m", "MAP<STRING, TIME>", "TO_JSON_STRING(m)", {"b": 60000, "a": None}, '{"a":null,"b":"00:01"}'),
    ],
)
def test_collections_are_as_java_has_them(column: str, kind: str, expression: str, value: Any, result: Any) -> None:
    assert differences(computed(column, kind, expression, value, result)) == []


def test_histograms_are_in_the_order_of_a_map_read_back_from_the_state() -> None:
    statements = [
        EVENTS.format("JSON"),
        "CREATE TABLE o AS SELECT k, MAP_KEYS(HISTOGRAM(t)) AS ts FROM s GROUP BY k;",
    ]
    inputs: list[tuple[Any, Any]] = [("a", {"T": text}) for text in ("zoo", "kiwi", "apple")]
    outputs: list[tuple[Any, Any]] = [
        ("a", {"TS": keys}) for keys in (["zoo"], ["kiwi", "zoo"], ["apple", "kiwi", "zoo"])
    ]
    assert differences(case(statements, inputs, outputs)) == []


def test_a_keyless_source_gets_the_key_format_that_is_set() -> None:
    statements = [
        "CREATE STREAM s (v INT, w INT) WITH (KAFKA_TOPIC='s', KEY_FORMAT='NONE', VALUE_FORMAT='JSON');",
        "SET 'ksql.persistence.default.format.key'='JSON'; CREATE STREAM o AS SELECT * FROM s PARTITION BY v;",
    ]
    made = case(statements, [(None, {"V": 1, "W": 2})], [(1, {"W": 2})])
    made["sinks"] = {
        "O": {
            "name": "O",
            "type": "STREAM",
            "key_format": "JSON",
            "value_format": "JSON",
            "columns": [{"name": "V", "type": "INTEGER", "key": True}, {"name": "W", "type": "INTEGER"}],
        }
    }
    assert differences(made) == []


def test_a_later_join_may_use_an_expression_that_an_earlier_one_made_the_key() -> None:
    statements = [
        "CREATE STREAM s (id INT KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');",
        "CREATE STREAM s2 (id INT KEY, v INT) WITH (KAFKA_TOPIC='s2', VALUE_FORMAT='JSON');",
        "CREATE STREAM s3 (id INT KEY, v INT) WITH (KAFKA_TOPIC='s3', VALUE_FORMAT='JSON');",
        "CREATE STREAM o AS SELECT s.id, s.v AS a, s2.v AS b, s3.v AS c FROM s JOIN s2 WITHIN 10 SECONDS ON s.id = ABS(s2.id) JOIN s3 WITHIN 10 SECONDS ON ABS(s2.id) = ABS(s3.id);",
    ]
    made = case(statements, [(1, {"V": 1})], [])
    made["inputs"] += [
        {"topic": "s2", "key": -1, "value": {"V": 2}, "timestamp": 2},
        {"topic": "s3", "key": -1, "value": {"V": 3}, "timestamp": 3},
    ]
    made["outputs"] = {"O": [{"key": 1, "value": {"A": 1, "B": 2, "C": 3}, "timestamp": 3}]}
    assert differences(made) == []


def test_a_star_over_a_join_under_partition_by_has_the_pseudo_columns() -> None:
    statements = [
        EVENTS.format("JSON"),
        "CREATE TABLE u (id STRING PRIMARY KEY, n STRING) WITH (KAFKA_TOPIC='u', VALUE_FORMAT='JSON');",
        "CREATE STREAM o AS SELECT * FROM s LEFT JOIN u ON s.k = u.id PARTITION BY s.v;",
    ]
    value = {
        "S_T": "x",
        "S_ROWTIME": 1,
        "S_ROWPARTITION": 0,
        "S_ROWOFFSET": 0,
        "S_K": "a",
        "U_N": None,
        "U_ROWTIME": None,
        "U_ROWPARTITION": None,
        "U_ROWOFFSET": None,
        "U_ID": None,
    }
    assert differences(case(statements, [("a", {"V": 7, "T": "x"})], [(7, value)])) == []


@pytest.mark.parametrize("name", ["period", "grace", "define", "variables", "timeout", "year", "month"])
def test_words_that_only_some_statements_use_are_names_elsewhere(name: str) -> None:
    statements = [
        f"CREATE STREAM s (k STRING KEY, {name} INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');",
        f"CREATE STREAM o AS SELECT k, {name} FROM s WHERE {name} > 1;",
    ]
    assert differences(case(statements, [("a", {name.upper(): 2})], [("a", {name.upper(): 2})])) == []
