"""Plans have the columns, keys, formats and operators that ksqlDB gives them."""
# ruff: noqa: E501 - one case a line

from __future__ import annotations

from collections.abc import Callable

import pytest

from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.plan import (
    Aggregate,
    Filter,
    FlatMap,
    ForeignKeyJoin,
    Format,
    Project,
    Rekey,
    Sink,
    StreamStreamJoin,
    StreamTableJoin,
    Suppress,
    TableTableJoin,
    TimestampColumn,
    WindowInfo,
)

Planner = Callable[[str], Sink]


def columns(sink: Sink) -> str:
    keys = [f"{column.name} {column.type} KEY" for column in sink.schema.key]
    return ", ".join([*keys, *(f"{column.name} {column.type}" for column in sink.schema.value)])


def operators(sink: Sink) -> list[str]:
    kinds = (
        Aggregate, Filter, FlatMap, ForeignKeyJoin, Project, Rekey, StreamStreamJoin, StreamTableJoin, Suppress,
        TableTableJoin,
    )  # fmt: skip
    return [type(part).__name__ for part in walk(sink.input) if isinstance(part, kinds)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE STREAM o AS SELECT v, id FROM ev;", "ID STRING KEY, V INTEGER"),
        ("CREATE STREAM o AS SELECT id AS k, v + 1, s FROM ev;", "K STRING KEY, KSQL_COL_0 INTEGER, S STRING"),
        ("CREATE STREAM o AS SELECT *, v * 2 AS w FROM ev2;", "ID STRING KEY, V INTEGER, W INTEGER"),
        ("CREATE STREAM o AS SELECT id, st->f, st->f AS h, st->* FROM ev;", None),
        ("CREATE STREAM o AS SELECT id, st->* FROM ev;", "ID STRING KEY, F INTEGER, G STRING"),
        ("CREATE STREAM o AS SELECT id, EXPLODE(a) AS e FROM ev;", "ID STRING KEY, E INTEGER"),
        ("CREATE STREAM o AS SELECT * FROM ev2 PARTITION BY v;", "V INTEGER KEY, ID STRING"),
        ("CREATE STREAM o AS SELECT * FROM ev2 PARTITION BY v + 1;", "KSQL_COL_0 INTEGER KEY, V INTEGER, ID STRING"),
        ("CREATE STREAM o AS SELECT id, v FROM ev2 PARTITION BY NULL;", "ID STRING, V INTEGER"),
        ("CREATE TABLE o AS SELECT s, COUNT(*) FROM ev GROUP BY s;", "S STRING KEY, KSQL_COL_0 BIGINT"),
        ("CREATE TABLE o AS SELECT v % 2 AS odd, (v % 2) + 1 AS n, SUM(v) AS t FROM ev GROUP BY v % 2;", "ODD INTEGER KEY, N INTEGER, T INTEGER"),
        ("CREATE TABLE o AS SELECT st->g, COUNT(*) AS n FROM ev GROUP BY st->g;", "G STRING KEY, N BIGINT"),
        ("CREATE STREAM o AS SELECT * FROM ev2 JOIN users ON ev2.id = users.id;", "EV2_ID STRING KEY, EV2_V INTEGER, USERS_ID STRING, USERS_NAME STRING, USERS_PTS INTEGER"),
        ("CREATE STREAM o AS SELECT u.id AS x, e.v FROM ev2 e LEFT JOIN users u ON e.id = u.id;", "X STRING KEY, V INTEGER"),
        ("CREATE TABLE o AS SELECT * FROM users u FULL JOIN teams t ON u.id = t.id;", "ROWKEY STRING KEY, U_ID STRING, U_NAME STRING, U_PTS INTEGER, T_ID STRING, T_BOSS STRING"),
        ("CREATE TABLE o AS SELECT u.id AS id, boss FROM users u JOIN teams t ON u.name = t.id;", "ID STRING KEY, BOSS STRING"),
        ("SELECT v, id, ROWTIME FROM ev EMIT CHANGES;", "ID STRING KEY, V INTEGER, ID STRING, ROWTIME BIGINT"),
        ("SELECT * FROM per_minute EMIT CHANGES;", "ID STRING KEY, ID STRING, WINDOWSTART BIGINT, WINDOWEND BIGINT, N BIGINT"),
        ("SELECT COUNT(*) AS n FROM ev GROUP BY s EMIT CHANGES;", "S STRING KEY, N BIGINT"),
        ("SELECT COUNT(*) AS n, MAX(v) AS m FROM ev EMIT CHANGES;", "KSQL_KEY_0 BOOLEAN KEY, N BIGINT, M INTEGER"),
    ],
)  # fmt: skip
def test_columns_of_the_result(plan: Planner, text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(Exception, match="Duplicate value columns found in schema: `F` INTEGER"):
            plan(text)
    else:
        assert columns(plan(text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE STREAM o AS SELECT id, v FROM ev WHERE v > 1;", ["Project", "Filter"]),
        ("CREATE STREAM o AS SELECT v, s FROM ev PARTITION BY v;", ["Project", "Rekey"]),
        ("CREATE STREAM o AS SELECT v, s, id FROM ev PARTITION BY v;", ["Project", "Rekey", "Project"]),
        ("CREATE STREAM o AS SELECT id, EXPLODE(a) + 1 AS e FROM ev;", ["Project", "FlatMap"]),
        ("CREATE TABLE o AS SELECT s, COUNT(*) AS n FROM ev WHERE v > 1 GROUP BY s HAVING COUNT(*) > 1;", ["Project", "Filter", "Aggregate", "Filter"]),
        ("CREATE TABLE o AS SELECT s, COUNT(*) AS n FROM ev WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 1 MINUTE) GROUP BY s EMIT FINAL;", ["Project", "Suppress", "Aggregate"]),
        ("CREATE TABLE o AS SELECT s, COUNT(*) AS n FROM ev WINDOW named SESSION (1 MINUTE) GROUP BY s;", ["Project", "Aggregate"]),
        ("CREATE STREAM o AS SELECT ev.id AS id, name FROM ev JOIN users ON ev.id = users.id;", ["Project", "StreamTableJoin", "Project", "Project"]),
        ("CREATE STREAM o AS SELECT s, name FROM ev JOIN users ON users.id = ev.s;", ["Project", "StreamTableJoin", "Rekey", "Project", "Project"]),
        ("CREATE STREAM o AS SELECT ev.id, name FROM ev JOIN ev2 WITHIN 1 HOUR ON ev.id = ev2.id JOIN users ON ev.id = users.id;", ["Project", "StreamTableJoin", "StreamStreamJoin", "Project", "Project", "Project"]),
        ("CREATE TABLE o AS SELECT u.id AS id, boss FROM users u JOIN teams t ON u.id = t.id;", ["Project", "TableTableJoin", "Project", "Project"]),
        ("CREATE TABLE o AS SELECT u.id AS id, boss FROM users u LEFT JOIN teams t ON u.name = t.id;", ["Project", "ForeignKeyJoin", "Project", "Project"]),
    ],
)  # fmt: skip
def test_operators_of_the_plan(plan: Planner, text: str, expected: list[str]) -> None:
    assert operators(plan(text)) == expected


def test_the_sink_inherits_formats_and_takes_what_with_says(plan: Planner) -> None:
    inherited = plan("CREATE STREAM o AS SELECT * FROM ev2;")
    assert (inherited.topic, inherited.key_format, inherited.value_format) == (
        "O",
        Format("KAFKA"),
        Format("DELIMITED"),
    )
    given = plan(
        "CREATE STREAM o WITH (KAFKA_TOPIC='t', KEY_FORMAT='JSON', VALUE_FORMAT='AVRO', WRAP_SINGLE_VALUE=false, "
        "VALUE_AVRO_SCHEMA_FULL_NAME='a.B', TIMESTAMP='x') AS SELECT id, CAST(v AS BIGINT) AS x FROM ev2;"
    )
    assert given.topic == "t"
    assert given.key_format == Format("JSON")
    assert given.value_format == Format("AVRO", (("FULL_SCHEMA_NAME", "a.B"),), unwrapped=True)
    assert given.timestamp == TimestampColumn("X")


def test_windows_are_the_sinks_and_unset_parts_stay_unset(plan: Planner) -> None:
    sink = plan(
        "CREATE TABLE o AS SELECT s, WINDOWSTART AS ws, COUNT(*) AS n FROM ev "
        "WINDOW HOPPING (SIZE 1 MINUTE, ADVANCE BY 10 SECONDS) GROUP BY s;"
    )
    assert sink.window == WindowInfo("HOPPING", 60_000)
    (aggregate,) = [part for part in walk(sink.input) if isinstance(part, Aggregate)]
    assert aggregate.window is not None
    assert (aggregate.window.advance_ms, aggregate.window.retention_ms, aggregate.window.grace_ms) == (
        10_000,
        None,
        None,
    )


def test_the_same_aggregate_is_computed_once(plan: Planner) -> None:
    sink = plan("CREATE TABLE o AS SELECT s, SUM(v) AS a, SUM(v) / COUNT(*) AS b FROM ev GROUP BY s HAVING SUM(v) > 1;")
    (aggregate,) = [part for part in walk(sink.input) if isinstance(part, Aggregate)]
    assert [call.function for call in aggregate.calls] == ["SUM", "COUNT"]


def test_a_push_query_has_no_topic_and_follows_the_select_list(plan: Planner) -> None:
    sink = plan("SELECT s, COUNT(*), s AS again FROM ev GROUP BY s EMIT CHANGES;")
    assert sink.topic is None
    assert [column.name for column in sink.schema.value] == ["S", "KSQL_COL_0", "AGAIN"]


def test_insert_into_uses_the_targets_topic_and_formats(plan: Planner) -> None:
    sink = plan("INSERT INTO ev2 SELECT id, v FROM ev;")
    assert (sink.name, sink.topic, sink.value_format) == ("EV2", "ev2", Format("DELIMITED"))
