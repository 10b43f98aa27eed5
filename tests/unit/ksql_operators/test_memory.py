"""What a live key costs in memory, for the statement that keeps most of them."""

from __future__ import annotations

import tracemalloc
from uuid import UUID

import pytest

from embedded.ksql.operators import spill, state_table
from embedded.ksql.operators.interface import Row
from tests.unit.ksql_operators.replay import Replay

KEYS = 10_000
COLUMNS = [f"c{number}" for number in range(13)]
DAY_MS = 86_400_000


def test_a_deduplicated_event_costs_at_most_300_bytes_however_wide_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "MEMORY_BYTES", 1 << 17)
    monkeypatch.setattr(spill, "BUFFER_BYTES", 1 << 16)
    monkeypatch.setattr(state_table, "RECENT_LIMIT", 0)
    replay = Replay()
    declared = ", ".join(f"{name} STRING" for name in ["id", *COLUMNS])
    carried = ", ".join(f"EARLIEST_BY_OFFSET({name}) AS {name}" for name in COLUMNS)
    replay.run(
        f"CREATE STREAM s ({declared}) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON');"
        f"CREATE TABLE t AS SELECT id, {carried}, COUNT(*) AS seen FROM s"
        " WINDOW TUMBLING (SIZE 1 DAY, RETENTION 120 DAYS, GRACE PERIOD 119 DAYS) GROUP BY id HAVING COUNT(*) = 1;"
    )
    query = replay.queries[0]
    tracemalloc.start()
    try:
        for start in range(0, KEYS, 2_000):
            query.process(0, [event(number) for number in range(start, start + 2_000)])
            query.drain()
            query.stores[0].drain_changes()
        query.process(0, [event(number) for number in range(1)])
        query.drain()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(query.stores[0]) == KEYS
    assert held < KEYS * 300


def event(number: int) -> Row:
    identity = str(UUID(int=number * 7919))
    return Row(None, (identity, *(f"{name} of {identity}" for name in COLUMNS)), DAY_MS)
