"""Random aggregations over random rows equal a naive model, however the rows are batched and the query restarted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from embedded.ksql.operators.interface import Row
from embedded.ksql.partitioning import murmur2
from tests.unit.ksql_operators.replay import Replay

STREAM = "CREATE STREAM s (k STRING KEY, g STRING, v BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
TABLE = "CREATE TABLE s (k STRING PRIMARY KEY, g STRING, v BIGINT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
OF_STREAM = "COUNT(*) AS n, COUNT(v) AS c, SUM(v) AS s, MAX(v) AS m, EARLIEST_BY_OFFSET(v) AS e, COLLECT_LIST(v) AS l"
OF_TABLE = "COUNT(*) AS n, COUNT(v) AS c, SUM(v) AS s"
DAY_S = 86_400
Output = tuple[Any, Any, int, tuple[int, int] | None]


@dataclass
class Group:
    values: list[int | None] = field(default_factory=list)
    timestamp: int = -1
    passed: bool = False


@dataclass(frozen=True)
class Program:
    group_by: str
    window: str | None  # TUMBLING, HOPPING, SESSION
    size: int  # in seconds
    advance: int
    grace: int | None
    retention: int | None
    having: tuple[str, int] | None  # comparison with COUNT(*)
    is_table: bool
    partitions: int

    def statements(self) -> str:
        parts = [f"SIZE {self.size} SECONDS" if self.window != "SESSION" else f"{self.size} SECONDS"]
        parts += [f"ADVANCE BY {self.advance} SECONDS"] if self.window == "HOPPING" else []
        parts += [f"RETENTION {self.retention} SECONDS"] if self.retention is not None else []
        parts += [f"GRACE PERIOD {self.grace} SECONDS"] if self.grace is not None else []
        window = f"WINDOW {self.window} ({', '.join(parts)})" if self.window else ""
        having = f"HAVING COUNT(*) {self.having[0]} {self.having[1]}" if self.having else ""
        columns = OF_TABLE if self.is_table else OF_STREAM
        query = f"SELECT {self.group_by}, {columns} FROM s {window} GROUP BY {self.group_by} {having}"
        return f"{TABLE if self.is_table else STREAM}\nCREATE TABLE t AS {query} EMIT CHANGES;"


class Model:
    """What the documentation says, row by row, remembering everything."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.groups: dict[tuple[str, tuple[int, int] | None], Group] = {}
        self.times: dict[int, int] = {}
        self.rows: dict[str, tuple[str | None, int | None]] = {}

    def take(self, row: Row) -> Iterator[Output]:
        program = self.program
        if program.is_table:
            yield from self.update(row)
            return
        if row.value is None:
            return
        group = (row.key or (None,))[0] if program.group_by == "k" else row.value[0]
        if group is None:
            return
        hashed = (murmur2(group.encode()) & 0x7FFFFFFF) % program.partitions
        partition = row.partition if program.group_by == "k" else hashed
        self.times[partition] = max(self.times.get(partition, 0), row.timestamp)
        now, value, size = self.times[partition], row.value[1], program.size * 1000
        grace = (max(0, DAY_S - program.size) if program.grace is None else program.grace) * 1000
        if program.window is None:
            yield from self.add(group, None, value, row.timestamp)
        elif program.window == "SESSION":
            yield from self.session(group, value, row.timestamp, now - grace)
        else:
            advance = program.advance * 1000 if program.window == "HOPPING" else size
            for start in range(0, row.timestamp + 1, advance):
                if start <= row.timestamp < start + size and start + size + grace > now:
                    yield from self.add(group, (start, start + size), value, row.timestamp)

    def add(self, key: str, window: tuple[int, int] | None, value: int | None, time: int) -> Iterator[Output]:
        group = self.groups.setdefault((key, window), Group())
        group.values.append(value)
        group.timestamp = max(group.timestamp, time)
        yield from self.decide(key, window, group)

    def decide(self, key: str, window: tuple[int, int] | None, group: Group) -> Iterator[Output]:
        known = [value for value in group.values if value is not None]
        values: tuple[Any, ...] = (len(group.values), len(known), sum(known))
        if not self.program.is_table:
            values += (max(known, default=None), known[0] if known else None, list(group.values))
        if self.allows(len(group.values)):
            group.passed = True
            yield (key,), values, group.timestamp, window
        elif group.passed:
            group.passed = False
            yield (key,), None, group.timestamp, window

    def allows(self, count: int) -> bool:
        if self.program.having is None:
            return True
        comparison, limit = self.program.having
        return {"=": count == limit, "<=": count <= limit, "<": count < limit, ">": count > limit}[comparison]

    def session(self, key: str, value: int | None, time: int, closed: int) -> Iterator[Output]:
        gap = self.program.size * 1000
        near = sorted(
            window
            for known, window in self.groups
            if known == key and window and window[1] >= time - gap and window[0] <= time + gap
        )
        bounds = min([time, *(start for start, _ in near)]), max([time, *(end for _, end in near)])
        if bounds[1] < closed - gap:
            return
        merged = Group()
        for window in near:
            old = self.groups.pop((key, window))
            merged.values += old.values
            if bounds != (time, time) and old.passed:
                yield (key,), None, window[1], window
            elif bounds == (time, time):
                merged.passed = old.passed
        self.groups[key, bounds] = merged
        yield from self.add(key, bounds, value, bounds[1])

    def update(self, row: Row) -> Iterator[Output]:
        if row.key is None:
            return
        key = row.key[0]
        old = self.rows.pop(key, None)
        if row.value is not None:
            self.rows[key] = row.value
        for change, sign in ((old, -1), (row.value, 1)):
            name = None if change is None else key if self.program.group_by == "k" else change[0]
            if change is None or name is None:
                continue
            group = self.groups.setdefault((name, None), Group())
            if sign > 0:
                group.values.append(change[1])
            else:
                group.values.remove(change[1])
            group.timestamp = max(group.timestamp, row.timestamp)
            yield from self.decide(name, None, group)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    is_table = draw(st.booleans())
    window = None if is_table else draw(st.sampled_from([None, "TUMBLING", "HOPPING", "SESSION"]))
    size = draw(st.integers(1, 20))
    advance = draw(st.integers(1, size))
    grace = draw(st.one_of(st.none(), st.integers(0, 20)))
    least = max(DAY_S, size) if grace is None else size + grace
    return Program(
        group_by=draw(st.sampled_from(["k", "g"])),
        window=window,
        size=size,
        advance=advance,
        grace=grace,
        retention=draw(st.one_of(st.none(), st.integers(least, least + 100))),
        having=draw(st.one_of(st.none(), st.tuples(st.sampled_from(["=", "<=", "<", ">"]), st.integers(0, 4)))),
        is_table=is_table,
        partitions=draw(st.integers(1, 3)),
    )


texts = st.sampled_from(["a", "b", "c", None])
values = st.one_of(st.none(), st.tuples(texts, st.one_of(st.none(), st.integers(-5, 5))))
rows = st.builds(
    lambda key, value, timestamp: Row(
        None if key is None else (key,), value, timestamp, partition=0 if key is None else ord(key) % 2
    ),
    texts,
    values,
    st.one_of(st.integers(0, 90_000), st.integers(86_300_000, 86_500_000)),
)
batches = st.lists(st.tuples(st.lists(rows, max_size=8), st.booleans()), max_size=8)


@settings(max_examples=150, deadline=None)
@given(programs(), batches)
def test_any_aggregation_equals_the_model_through_any_batches_and_crashes(
    program: Program, batches: list[tuple[list[Row], bool]]
) -> None:
    replay = Replay(partitions=program.partitions)
    replay.run(program.statements())
    model = Model(program)
    changelogs: list[dict[bytes, bytes]] = [{} for _ in replay.queries[0].stores]
    for batch, crashes in batches:
        if crashes:
            replay.queries[0].process(0, batch)
            replay.restart(0, changelogs)
        replay.written.clear()
        replay.send("s", batch)
        found = [(row.key, row.value, row.timestamp, row.window) for row in replay.written["T"]]
        assert found == [output for row in batch for output in model.take(row)]
        commit(replay, changelogs)
    rows_left, expected = live(replay), expected_live(model)
    assert all(expected[row] == value for row, value in rows_left.items())
    assert all(is_expired(model, window) for _, window in expected.keys() - rows_left.keys())


@settings(max_examples=40, deadline=None)
@given(programs(), batches)
def test_a_record_cache_ends_at_the_same_rows(program: Program, batches: list[tuple[list[Row], bool]]) -> None:
    replay = Replay(partitions=program.partitions, cache=True)
    replay.run(program.statements())
    model, table = Model(program), {}
    changelogs: list[dict[bytes, bytes]] = [{} for _ in replay.queries[0].stores]
    for batch, _ in batches:
        replay.send("s", batch)
        for row in batch:
            list(model.take(row))
        commit(replay, changelogs)
    for row in replay.written["T"]:
        table[row.key, row.window] = row.value
    expected = expected_live(model)
    assert {(key, window): value for (key, window), value in table.items() if value is not None} == expected


def commit(replay: Replay, changelogs: list[dict[bytes, bytes]]) -> None:
    for store, changelog in zip(replay.queries[0].stores, changelogs, strict=True):
        for key, value in store.drain_changes():
            if value is None:
                changelog.pop(key, None)
            else:
                changelog[key] = value


def live(replay: Replay) -> dict[Any, Any]:
    materialized = replay.queries[0].materialized
    assert materialized is not None
    found = {(row.key, row.window): row.value for row in materialized.rows()}
    for row in list(materialized.rows()):
        assert row in materialized.get(row.key or ())
    return found


def expected_live(model: Model) -> dict[Any, Any]:
    found = {}
    for (key, window), group in model.groups.items():
        for name, values, _, _ in model.decide(key, window, Group(group.values, group.timestamp)):
            found[name, window] = values
    return found


def is_expired(model: Model, window: tuple[int, int] | None) -> bool:
    program = model.program
    grace = max(0, DAY_S - program.size) if program.grace is None else program.grace
    retention = 1000 * max(program.retention or 0, program.size + grace)
    return window is not None and window[1] + retention < max(model.times.values()) + 1000 * program.size
