"""Closing, losing and pruning windows, and joining streams in time."""

from __future__ import annotations

from typing import Any

import pytest

from embedded.ksql.functions.interface import QueryFailedError
from embedded.ksql.language.parser import parse_expression
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.pruning import count_bound
from embedded.ksql.operators.stores import KeyedStore, WindowStore
from embedded.ksql.operators.stream_aggregate import StreamAggregate
from embedded.ksql.operators.window_clock import Windows
from embedded.ksql.planning.plan import Aggregate, AggregateCall, Format, Source, WindowSpec
from embedded.ksql.types import BIGINT, Schema
from tests.unit.ksql_operators.replay import Replay

EVENTS = "CREATE STREAM s (k STRING KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
VIEWS = "CREATE STREAM l (k STRING KEY, v INT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');"
PAYS = "CREATE STREAM r (k STRING KEY, p INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON');"


def row(key: str, value: int | None, time: int, partition: int = 0) -> Row:
    return Row((key,), (value,), time, partition=partition)


def written(statements: str, *sent: tuple[str, Row], topic: str = "T") -> list[tuple[Any, ...]]:
    replay = Replay()
    replay.run(statements)
    for name, one in sent:
        replay.send(name, [one])
    return [((one.key or (None,))[0], one.value, one.timestamp, one.window) for one in replay.written[topic]]


def events(query: str, *sent: Row) -> list[tuple[Any, ...]]:
    return written(f"{EVENTS} CREATE TABLE t AS {query};", *(("s", one) for one in sent))


def test_emit_final_puts_windows_out_by_start_and_key_when_they_close() -> None:
    query = (
        "SELECT k, COUNT(*) AS n FROM s WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 5 SECONDS) GROUP BY k EMIT FINAL"
    )
    assert events(query, row("b", 1, 6_000), row("a", 1, 7_000), row("a", 1, 11_000), row("a", 1, 15_000)) == [
        ("a", (1,), 7_000, (0, 10_000)),
        ("b", (1,), 6_000, (0, 10_000)),
        ("a", (2,), 11_000, (5_000, 15_000)),
        ("b", (1,), 6_000, (5_000, 15_000)),
    ]


def test_emit_final_loses_windows_if_time_jumps_by_more_than_the_retention() -> None:
    query = "SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY k EMIT FINAL"
    assert events(query, row("a", 1, 1_000), row("a", 1, 20_000), row("a", 1, 30_000)) == [
        ("a", (1,), 20_000, (20_000, 30_000))
    ]


def test_having_filters_what_emit_final_puts_out() -> None:
    query = "SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY k HAVING COUNT(*) > 1 EMIT FINAL"
    assert events(query, row("a", 1, 0), row("b", 1, 0), row("b", 1, 0), row("a", 1, 10_000)) == [
        ("b", (2,), 0, (0, 10_000))
    ]


def test_emit_final_puts_a_session_out_once_when_its_gap_has_passed() -> None:
    query = "SELECT k, COUNT(*) AS n FROM s WINDOW SESSION (10 SECONDS) GROUP BY k EMIT FINAL"
    sent = [row("a", 1, 1_000), row("a", 1, 9_000), row("b", 1, 30_000), row("b", 1, 60_000)]
    assert events(query, *sent) == [("a", (2,), 9_000, (1_000, 9_000)), ("b", (1,), 30_000, (30_000, 30_000))]


def cached(query: str, *batches: list[Row]) -> list[list[tuple[Any, ...]]]:
    """Return what a query with a record cache puts out after each batch: key, value, window."""
    replay = Replay(cache=True)
    replay.run(f"{EVENTS} CREATE TABLE t AS {query};")
    found = []
    for batch in batches:
        replay.send("s", batch)
        found.append([(one.key, one.value, one.window) for one in replay.written.pop("T", [])])
    return found


def test_with_a_cache_only_a_session_that_was_put_out_is_deleted_when_it_is_merged() -> None:
    query = "SELECT k, COUNT(*) AS n FROM s WINDOW SESSION (10 SECONDS) GROUP BY k"
    first = [row("a", 1, 0), row("b", 1, 0), row("b", 1, 0)]
    second = [row("a", 1, 5_000), row("a", 1, 8_000), row("b", 1, 0), row("c", 1, 0), row("c", 1, 1)]
    assert cached(query, first, second, [row("a", 1, 4_000), row("b", 1, 1)]) == [
        [(("a",), (1,), (0, 0)), (("b",), (2,), (0, 0))],
        [
            (("a",), None, (0, 0)),
            (("a",), (3,), (0, 8_000)),
            (("b",), (3,), (0, 0)),
            (("c",), (2,), (0, 1)),
        ],
        [(("b",), None, (0, 0)), (("a",), (4,), (0, 8_000)), (("b",), (4,), (0, 1))],
    ]


def test_with_a_cache_having_sees_the_last_update_of_a_session_only() -> None:
    query = "SELECT k, COUNT(*) AS n FROM s WINDOW SESSION (10 SECONDS) GROUP BY k HAVING COUNT(*) < 3"
    sent = (
        [row("a", 1, 0), row("a", 1, 1)],
        [row("a", 1, 2)],
        [row("a", 1, 3)],
        [row("b", 1, time) for time in (0, 1, 2)],
    )
    assert cached(query, *sent) == [[(("a",), (2,), (0, 1))], [(("a",), None, (0, 1))], [], []]


def test_with_a_cache_sessions_may_be_of_a_list() -> None:
    replay = Replay(cache=True)
    replay.run(
        "CREATE STREAM s (k ARRAY<INT> KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
        "CREATE TABLE t WITH (KEY_FORMAT='JSON') AS "
        "SELECT k, COUNT(*) AS n FROM s WINDOW SESSION (10 SECONDS) GROUP BY k;"
    )
    replay.send("s", [Row(([1, 2],), (1,), 0), Row(([1, 2],), (1,), 1)])
    assert [(one.key, one.value, one.window) for one in replay.written["T"]] == [(([1, 2],), (2,), (0, 1))]


def test_a_fast_partition_does_not_make_rows_of_a_slow_one_late() -> None:
    query = "SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 10 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY k"
    sent = [row("a", 1, 50_000, partition=1), row("b", 1, 1_000, partition=0), row("a", 1, 1_000, partition=1)]
    assert [(key, window) for key, _, _, window in events(query, *sent)] == [
        ("a", (50_000, 60_000)),
        ("b", (0, 10_000)),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "TABLE t AS SELECT k, COUNT(*) AS n FROM l WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 1 SECOND) GROUP BY k",
        "TABLE t AS SELECT v, COUNT(*) AS n FROM l WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 1 SECOND) GROUP BY v",
        "TABLE t AS SELECT k, COUNT(*) AS n FROM l WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY k EMIT FINAL",
        "TABLE t AS SELECT k, COUNT(*) AS n FROM l WINDOW SESSION (1 SECOND, GRACE PERIOD 1 SECOND) GROUP BY k",
        "STREAM t AS SELECT l.k AS k, v, p FROM l JOIN r WITHIN 1 SECOND GRACE PERIOD 1 SECOND ON l.k = r.k",
    ],
)
def test_a_partition_without_records_keeps_its_own_state_and_none_that_is_newer(query: str) -> None:
    replay = Replay(partitions=2)
    replay.run(f"{VIEWS} {PAYS} CREATE {query};")
    other = 2 if "GROUP BY v" in query else 1
    replay.send("l", [row("idle", 1, 1_000, partition=1)])
    for number in range(1, 10):
        replay.send("l", [row(f"key {number}", other, 1_000 + number * 100_000)])
    store = replay.queries[0].stores[0]
    assert len(store) == 2
    assert isinstance(store, KeyedStore | WindowStore)
    assert sorted(store.times.by_partition) == [0, 1]


def test_what_a_partition_without_records_kept_counts_when_it_wakes_up() -> None:
    query = "SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 1 SECOND) GROUP BY k"
    busy = [row("busy", 1, time * 1_000) for time in range(100)]
    sent = [row("idle", 1, 1_000, partition=1), *busy, row("idle", 1, 1_001, partition=1)]
    assert events(query, *sent)[-1] == ("idle", (2,), 1_001, (1_000, 2_000))


def test_partitions_that_are_added_begin_where_the_slowest_is() -> None:
    replay = Replay(partitions=2)
    replay.run(
        f"{EVENTS} CREATE TABLE t AS SELECT v, COUNT(*) AS n FROM s "
        "WINDOW TUMBLING (SIZE 1 SECOND, GRACE PERIOD 1 SECOND) GROUP BY v;"
    )
    replay.send("s", [row("a", number, 100_000) for number in range(9)])
    changes = {key: value for key, value in replay.queries[0].stores[0].drain_changes() if value is not None}
    replay.partitions = 50
    replay.restart(0, [changes])
    (store,) = replay.queries[0].stores
    store.times.begin(50)
    before = len(replay.written["T"])
    replay.send("s", [row("a", number, 1_000) for number in range(9)])
    assert len(replay.written["T"]) == before
    replay.send("s", [row("a", number, 99_000) for number in range(9)])
    assert len(replay.written["T"]) == before + 9
    assert isinstance(store, WindowStore)
    assert len(store.times.by_partition) == 50


def test_a_decimal_sum_that_overflows_fails_the_query() -> None:
    query = "SELECT k, SUM(CAST(v AS DECIMAL(2, 0))) AS total FROM s GROUP BY k"
    with pytest.raises(QueryFailedError):
        events(query, row("a", 60, 1), row("a", 60, 2))


def test_a_group_that_having_can_never_let_through_again_is_pruned() -> None:
    replay = Replay()
    replay.run(f"{EVENTS} CREATE TABLE t AS SELECT k, MAX(v) AS m FROM s GROUP BY k HAVING COUNT(*) = 1;")
    replay.send("s", [row("a", 1, 1), row("b", 2, 2), row("a", 3, 3)])
    table = replay.queries[0].materialized
    (store,) = replay.queries[0].stores
    assert table is not None
    assert [(one.key, one.value) for one in table.rows()] == [(("b",), (2,))]
    assert table.get(("a",)) == []
    assert dict(store.drain_changes())[b"a"] == b"\x90"
    replay.send("s", [row("a", 1, 4)])
    assert [(one.key, one.value) for one in replay.written["T"]] == [
        (("a",), (1,)),
        (("b",), (2,)),
        (("a",), None),
    ]


@pytest.mark.parametrize(
    ("having", "bound"),
    [
        ("n = 1", (0, 1)),
        ("n <= 3", (0, 3)),
        ("n < 3", (0, 2)),
        ("3 > n", (0, 2)),
        ("n BETWEEN 1 AND 4", (0, 4)),
        ("m > 5 AND n = 2", (0, 2)),
        ("n > 3", None),
        ("n = 1 OR m > 5", None),
        ("m = 1", None),
        ("n = m", None),
    ],
)
def test_only_an_upper_bound_of_a_count_allows_pruning(having: str, bound: tuple[int, int] | None) -> None:
    kafka = Format("KAFKA")
    source = Source("S", "S", "s", "STREAM", Schema((), ()), kafka, kafka)
    calls = (AggregateCall("N", "COUNT", (), BIGINT), AggregateCall("M", "MAX", (), BIGINT))
    node = Aggregate(source, (), (), calls, None, Schema((), ()), is_table=False)
    assert count_bound(parse_expression(having), node) == bound


def test_without_a_grace_period_windows_stay_open_for_a_day_after_their_start() -> None:
    hour = 3_600_000
    assert Windows(WindowSpec("TUMBLING", hour)).grace == 23 * hour
    assert Windows(WindowSpec("TUMBLING", 48 * hour)).grace == 0
    assert Windows(WindowSpec("TUMBLING", hour), final=True).grace == 0


def test_both_sides_of_a_full_stream_join_wait_for_their_window_to_close() -> None:
    within = "WITHIN 1 SECOND GRACE PERIOD 1 SECOND"
    join = f"CREATE STREAM t AS SELECT ROWKEY AS k, v, p FROM l FULL JOIN r {within} ON l.k = r.k"
    sent = [("l", row("a", 1, 100)), ("r", row("b", 2, 200)), ("r", row("a", 3, 1_100)), ("l", row("c", 4, 9_000))]
    assert written(f"{VIEWS} {PAYS} {join};", *sent) == [("a", (1, 3), 1_100, None), ("b", (None, 2), 200, None)]


def test_an_unmatched_row_survives_a_restart() -> None:
    join = (
        "CREATE STREAM t AS SELECT l.k AS k, v, p FROM l LEFT JOIN r WITHIN 1 SECOND GRACE PERIOD 1 SECOND ON l.k = r.k"
    )
    replay = Replay()
    replay.run(f"{VIEWS} {PAYS} {join};")
    replay.send("l", [row("a", 1, 100), row("b", 2, 200)])
    changes = [{k: v for k, v in store.drain_changes() if v is not None} for store in replay.queries[0].stores]
    replay.restart(0, changes)
    replay.send("r", [row("b", 3, 300), row("z", 3, 9_000)])
    assert [(one.key, one.value) for one in replay.written["T"]] == [(("b",), (2, 3)), (("a",), (1, None))]


def test_a_foreign_key_join_finds_its_rows_again_after_a_restart() -> None:
    replay = Replay()
    replay.run(
        "CREATE TABLE l (k STRING PRIMARY KEY, f STRING) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');"
        "CREATE TABLE r (k STRING PRIMARY KEY, n INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON');"
        "CREATE TABLE t AS SELECT l.k AS k, n FROM l LEFT JOIN r ON l.f = r.k;"
    )
    replay.send("l", [Row(("1",), ("a",), 1), Row(("2",), ("a",), 1), Row(("3",), (None,), 1)])
    changes = [{k: v for k, v in store.drain_changes() if v is not None} for store in replay.queries[0].stores]
    replay.restart(0, changes)
    replay.written.clear()
    replay.send("r", [Row(("a",), (7,), 0), Row(("a",), None, 5)])
    assert [(one.key, one.value, one.timestamp) for one in replay.written["T"]] == [
        (("1",), (7,), 0),
        (("2",), (7,), 0),
        (("1",), (None,), 5),
        (("2",), (None,), 5),
    ]


def test_a_row_whose_foreign_key_cannot_be_computed_is_reported_once_with_its_topic() -> None:
    replay = Replay()
    replay.run(
        "CREATE TABLE r (k DECIMAL(1, 0) PRIMARY KEY, p INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON');"
        "CREATE TABLE l (k STRING PRIMARY KEY, n INT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');"
        "CREATE TABLE t AS SELECT l.k AS k, p FROM l LEFT JOIN r ON CAST(l.n AS DECIMAL(1, 0)) = r.k;"
    )
    replay.send("l", [Row(("1",), (10,), 1)])
    (failure,) = replay.queries[0].drain_failures()
    assert failure.topic == "l"
    changes = [{k: v for k, v in store.drain_changes() if v is not None} for store in replay.queries[0].stores]
    replay.restart(0, changes)
    replay.send("l", [Row(("1",), (1,), 2)])
    assert replay.queries[0].drain_failures() == []


def test_what_fails_in_a_row_of_either_side_is_reported_with_its_topic() -> None:
    replay = Replay()
    replay.run(
        f"{VIEWS} CREATE STREAM r (k STRING KEY, p BIGINT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', TIMESTAMP='p');"
        "CREATE STREAM t AS SELECT l.k AS k, v, p FROM l JOIN r WITHIN 1 SECOND ON l.k = r.k;"
    )
    replay.send("r", [row("a", None, 1)])
    assert [failure.topic for failure in replay.queries[0].drain_failures()] == ["r"]


def test_rows_without_a_usable_time_are_dropped_and_reported() -> None:
    replay = Replay()
    replay.run(
        "CREATE STREAM s (k STRING KEY, v BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', TIMESTAMP='v');"
        "CREATE STREAM t AS SELECT * FROM s;"
    )
    replay.send("s", [row("a", 5, 1), row("b", None, 1), row("c", -1, 1)])
    assert [(one.key, one.timestamp) for one in replay.written["T"]] == [(("a",), 5)]
    assert len(replay.queries[0].drain_failures()) == 2


def test_the_loop_of_an_aggregation_calls_no_function_an_aggregate() -> None:
    replay = Replay()
    replay.run(f"{EVENTS} CREATE TABLE t AS SELECT k, COUNT(*) AS n, MAX(v) AS m FROM s GROUP BY k;")
    materialized: Any = replay.queries[0].materialized
    aggregate = materialized._rows
    assert isinstance(aggregate, StreamAggregate)
    assert not {"add0", "add1"} & set(aggregate._process.__code__.co_names)


def test_a_stream_join_forgets_keys_whose_rows_nothing_can_meet() -> None:
    join = "CREATE STREAM t AS SELECT l.k AS k, v, p FROM l JOIN r WITHIN 1 SECOND GRACE PERIOD 1 SECOND ON l.k = r.k"
    replay = Replay()
    replay.run(f"{VIEWS} {PAYS} {join};")
    for number in range(10):
        replay.send("l", [row(f"key {number}", 1, number * 100_000)])
    assert len(replay.queries[0].stores[0]) == 1


def test_sessions_and_their_changelog_are_dropped_after_the_retention() -> None:
    replay = Replay()
    query = "SELECT k, COUNT(*) AS n FROM s WINDOW SESSION (1 SECOND, GRACE PERIOD 1 SECOND) GROUP BY k"
    replay.run(f"{EVENTS} CREATE TABLE t AS {query};")
    changelog: dict[bytes, bytes | None] = {}
    for number in range(10):
        replay.send("s", [row(f"key {number}", 1, number * 100_000)])
        changelog.update(replay.queries[0].stores[0].drain_changes())
    assert len(replay.queries[0].stores[0]) == 1
    assert sum(value is not None for value in changelog.values()) == 2  # the session and the stream time


def test_a_final_session_that_was_open_at_a_restart_is_put_out_once() -> None:
    replay = Replay()
    replay.run(
        f"{EVENTS} CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s WINDOW SESSION (1 SECOND) GROUP BY k EMIT FINAL;"
    )
    changelog: dict[bytes, bytes] = {}
    for time in (0, 500, 5_000, 9_000, 9_100):
        replay.send("s", [row("a", 1, time)])
        for key, value in replay.queries[0].stores[0].drain_changes():
            changelog[key] = value or b""
        replay.restart(0, [changelog])
    assert [(one.window, one.value) for one in replay.written["T"]] == [((0, 500), (2,)), ((5_000, 5_000), (1,))]


def test_pull_queries_see_every_window_of_a_key() -> None:
    replay = Replay()
    query = "SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY k EMIT FINAL"
    replay.run(f"{EVENTS} CREATE TABLE t AS {query};")
    replay.send("s", [row("a", 1, 100), row("a", 1, 1_100), row("b", 1, 1_200)])
    table = replay.queries[0].materialized
    assert table is not None
    assert [(one.window, one.value) for one in table.get(("a",))] == [((0, 1_000), (1,)), ((1_000, 2_000), (1,))]
    assert len(list(table.rows())) == 3


def test_a_pull_query_reports_nothing_as_a_failure_of_the_query_that_keeps_the_rows() -> None:
    replay = Replay()
    replay.run(f"{EVENTS} CREATE TABLE t AS SELECT k, CAST(COUNT(*) + 9 AS DECIMAL(1, 0)) AS n FROM s GROUP BY k;")
    (query,) = replay.queries
    replay.send("s", [row("a", 1, 100)])
    assert len(query.drain_failures()) == 1
    assert query.materialized is not None
    assert [one.value for one in query.materialized.rows()] == [(None,)]
    assert [one.value for one in query.materialized.get(("a",))] == [(None,)]
    assert query.drain_failures() == []


def test_pull_queries_find_groups_by_any_kind_of_key() -> None:
    for kind, key in (("INT", -3), ("BIGINT", 1 << 40), ("ARRAY<INT>", [1, 2])):
        replay = Replay()
        replay.run(
            f"CREATE STREAM s (k {kind} KEY, v INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
            "CREATE TABLE t WITH (KEY_FORMAT='JSON') AS SELECT k, COUNT(*) AS n FROM s GROUP BY k;"
        )
        replay.send("s", [Row((key,), (1,), 1)])
        table = replay.queries[0].materialized
        assert table is not None
        assert [(one.key, one.value) for one in table.get((key,))] == [((key,), (1,))]
        assert list(table.rows()) == list(table.get((key,)))


def test_text_columns_give_rows_their_time_by_a_pattern() -> None:
    replay = Replay()
    replay.run(
        "CREATE STREAM s (k STRING KEY, at_text STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON',"
        " TIMESTAMP='at_text', TIMESTAMP_FORMAT='yyyy-MM-dd HH:mm:ss');"
        "CREATE STREAM t AS SELECT * FROM s;"
    )
    replay.send("s", [Row(("a",), ("1970-01-01 00:00:07",), 1), Row(("b",), ("soon",), 1), Row(("c",), None, 3)])
    assert [(one.key, one.timestamp) for one in replay.written["T"]] == [(("a",), 7_000), (("c",), 3)]
    (failure,) = replay.queries[0].drain_failures()
    assert failure.row.key == ("b",)


def test_the_time_column_of_a_sink_gives_its_rows_their_time() -> None:
    derived = "CREATE STREAM t WITH (TIMESTAMP='due') AS SELECT k, CAST(v + 100 AS BIGINT) AS due FROM s;"
    assert written(f"{EVENTS} {derived}", ("s", row("a", 5, 1))) == [("a", (105,), 105, None)]
