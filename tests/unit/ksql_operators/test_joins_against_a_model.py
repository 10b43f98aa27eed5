"""Random joins over random rows equal what SQL makes of the same tables, whatever the batches and restarts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from embedded.ksql.operators.interface import Row
from tests.unit.ksql_operators.replay import Replay

TABLES = """
CREATE TABLE l (k STRING PRIMARY KEY, g STRING, v INT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON');
CREATE TABLE r (k STRING PRIMARY KEY, w INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON');
"""
STREAM = "CREATE STREAM s (k STRING KEY, x INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
OTHER = "CREATE STREAM o (k STRING KEY, y INT) WITH (KAFKA_TOPIC='o', VALUE_FORMAT='JSON');"
Table = dict[str, tuple[Any, ...]]
KINDS = {"INNER": (True, True), "LEFT": (True, False), "RIGHT": (False, True), "FULL": (False, False)}
WITHIN_MS = 5_000

keys = st.sampled_from(["a", "b", "c", "d"])
numbers = st.none() | st.integers(-3, 3)
left_rows = st.tuples(st.just("l"), keys, st.none() | st.tuples(keys, numbers))
right_rows = st.tuples(st.just("r"), keys, st.none() | st.tuples(numbers))
changes = st.lists(st.tuples(st.lists(left_rows | right_rows, max_size=6), st.booleans()), max_size=8)


class Run:
    """A replay that can be restarted from what it wrote to its changelogs."""

    def __init__(self, statements: str) -> None:
        self.replay = Replay()
        self.replay.run(statements)
        self._changelogs: list[list[dict[bytes, bytes]]] = [[{} for _ in query.stores] for query in self.replay.queries]
        self._time = 0

    def send(self, topic: str, key: str | None, value: tuple[Any, ...] | None, time: int | None = None) -> None:
        self._time += 1
        row = Row(None if key is None else (key,), value, self._time if time is None else time)
        self.replay.send(topic, [row])

    def restart(self) -> None:
        for index, (query, logs) in enumerate(zip(self.replay.queries, self._changelogs, strict=True)):
            for store, log in zip(query.stores, logs, strict=True):
                log.update({key: value or b"" for key, value in store.drain_changes()})
            self.replay.restart(index, [{key: value for key, value in log.items() if value} for log in logs])

    def table(self, topic: str) -> Table:
        """Return what a reader of a topic ends up with."""
        found: Table = {}
        for row in self.replay.written[topic]:
            if row.value is None:
                found.pop(str((row.key or ("",))[0]), None)
            else:
                found[str((row.key or ("",))[0])] = tuple(row.value)
        return found


def joined(left: Table, right: Table, kind: str) -> Table:
    left_needed, right_needed = KINDS[kind]
    return {
        key: (*left.get(key, (None, None)), *right.get(key, (None,)))
        for key in left.keys() | right.keys()
        if (key in left or not left_needed) and (key in right or not right_needed)
    }


def referring(left: Table, right: Table, kind: str) -> Table:
    return {
        key: (group, value, *right.get(group, (None,)))
        for key, (group, value) in left.items()
        if group in right or kind == "LEFT"
    }


def grouped(rows: Table, seen: set[str]) -> Table:
    """Return groups by the first column; a group that was there once stays, with nothing in it."""
    seen |= {str(group) for group, *_ in rows.values() if group is not None}
    return {
        name: (
            sum(group == name for group, *_ in rows.values()),
            sum(value or 0 for group, value, _ in rows.values() if group == name),
        )
        for name in seen
    }


def replayed(run: Run, batches: Any) -> Iterator[tuple[Table, Table]]:
    """Send the changes of two tables; yield both as they are after each."""
    tables: dict[str, Table] = {"l": {}, "r": {}}
    for batch, restarts in batches:
        for topic, key, value in batch:
            tables[topic].pop(key, None)
            tables[topic].update({} if value is None else {key: value})
            run.send(topic, key, value)
            yield tables["l"], tables["r"]
        if restarts:
            run.restart()


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(KINDS)), changes)
def test_a_table_table_join_and_an_aggregation_of_it_are_sqls(kind: str, batches: Any) -> None:
    run = Run(
        f"{TABLES} CREATE TABLE j AS SELECT {'ROWKEY' if kind == 'FULL' else 'l.k AS id'}, g, v, w "
        f"FROM l {kind} JOIN r ON l.k = r.k;"
        "CREATE TABLE t AS SELECT g, COUNT(*) AS n, SUM(v) AS total FROM j GROUP BY g;"
    )
    seen: set[str] = set()
    for left, right in replayed(run, batches):
        expected = joined(left, right, kind)
        assert run.table("J") == expected
        assert run.table("T") == grouped(expected, seen)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["INNER", "LEFT"]), changes)
def test_a_foreign_key_join_and_an_aggregation_of_it_are_sqls(kind: str, batches: Any) -> None:
    run = Run(
        f"{TABLES} CREATE TABLE j AS SELECT l.k AS id, g, v, w FROM l {kind} JOIN r ON l.g = r.k;"
        "CREATE TABLE t AS SELECT g, COUNT(*) AS n, SUM(v) AS total FROM j GROUP BY g;"
    )
    seen: set[str] = set()
    for left, right in replayed(run, batches):
        expected = referring(left, right, kind)
        assert run.table("J") == expected
        assert run.table("T") == grouped(expected, seen)


@settings(max_examples=50, deadline=None)
@given(st.sampled_from(["INNER", "LEFT"]), changes)
def test_a_foreign_key_join_may_be_joined_again_on_its_own_key(kind: str, batches: Any) -> None:
    third = "CREATE TABLE z (k STRING PRIMARY KEY, q INT) WITH (KAFKA_TOPIC='z', VALUE_FORMAT='JSON');"
    run = Run(
        f"{TABLES} {third} CREATE TABLE j AS SELECT l.k AS id, g, v, w, q FROM l {kind} JOIN r ON l.g = r.k "
        "JOIN z ON l.k = z.k;"
    )
    run.send("z", "a", (7,))
    for left, right in replayed(run, batches):
        rows = referring(left, right, kind)
        assert run.table("J") == ({"a": (*rows["a"], 7)} if "a" in rows else {})


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(["INNER", "LEFT"]),
    st.lists(right_rows | st.tuples(st.just("s"), keys | st.none(), st.none() | st.tuples(numbers)), max_size=20),
    st.integers(0, 20),
)
def test_a_stream_meets_the_row_that_a_table_has_at_the_moment(kind: str, sent: Any, restart_at: int) -> None:
    run = Run(f"{TABLES} {STREAM} CREATE STREAM j AS SELECT s.k AS id, x, w FROM s {kind} JOIN r ON s.k = r.k;")
    table: Table = {}
    expected: list[tuple[Any, ...]] = []
    for index, (topic, key, value) in enumerate(sent):
        if index == restart_at:
            run.restart()
        run.send(topic, key, value)
        if topic == "r":
            table.pop(key, None)
            table.update({} if value is None else {key: value})
        elif key is not None and value is not None and (kind == "LEFT" or key in table):
            expected.append(((key,), (*value, *table.get(key, (None,))), index + 1))
    assert [(row.key, row.value, row.timestamp) for row in run.replay.written["J"]] == expected


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("so"), keys, st.tuples(st.integers(0, 9)), st.integers(0, 4_000)), max_size=15),
    st.integers(0, 15),
)
def test_two_streams_meet_in_all_pairs_within_the_window(sent: Any, restart_at: int) -> None:
    within = f"WITHIN {WITHIN_MS // 1000} SECONDS GRACE PERIOD 1 DAY"
    run = Run(f"{STREAM} {OTHER} CREATE STREAM j AS SELECT s.k AS id, x, y FROM s JOIN o {within} ON s.k = o.k;")
    now, expected = 0, []
    before: list[tuple[str, str, int, int]] = []
    for index, (topic, key, (number,), step) in enumerate(sent):
        if index == restart_at:
            run.restart()
        now += step
        run.send(topic, key, (number,), now)
        near = [one for one in before if one[0] != topic and one[1] == key and now - one[3] <= WITHIN_MS]
        pairs = [(number, other) if topic == "s" else (other, number) for _, _, other, _ in near]
        expected += [((key,), pair, now) for pair in pairs]
        before.append((topic, key, number, now))
    assert [(row.key, row.value, row.timestamp) for row in run.replay.written["J"]] == expected
