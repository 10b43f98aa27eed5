"""Joins and groupings of streams whose keys are windowed."""

from __future__ import annotations

import json
from typing import Any, Literal

from embedded.ksql.cases.engine import Engine
from embedded.ksql.cases.records import shown
from embedded.ksql.formats.windowed_keys import wrap

SESSIONS = """
CREATE STREAM l (id STRING KEY, v INT) WITH (KAFKA_TOPIC='l', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
CREATE STREAM r (id STRING KEY, w INT) WITH (KAFKA_TOPIC='r', VALUE_FORMAT='JSON', WINDOW_TYPE='SESSION');
"""


def send(engine: Engine, topic: str, window: tuple[int, int], value: dict[str, Any], time: int) -> None:
    kind: Literal["SESSION"] = "SESSION"
    engine.cluster.append(topic, wrap(b"a", window, kind), json.dumps(value).encode(), time)
    engine.run()


def results(engine: Engine) -> list[tuple[Any, Any, Any]]:
    source = engine.catalog.sources["O"]
    records = [shown(source, message, engine.cluster.registry) for message in engine.cluster.topics["O"]]
    return [(record["key"], record.get("window"), record["value"]) for record in records]


def test_rows_are_joined_on_key_and_window_which_the_result_keeps() -> None:
    engine = Engine()
    engine.execute(SESSIONS)
    engine.execute(
        "CREATE STREAM o AS SELECT l.id, l.WINDOWSTART AS s, l.WINDOWEND AS e, v, w"
        " FROM l JOIN r WITHIN 1 MINUTE ON l.id = r.id;"
    )
    send(engine, "l", (10, 20), {"V": 1}, 20)
    send(engine, "r", (10, 21), {"W": 1}, 21)
    send(engine, "r", (10, 20), {"W": 2}, 22)
    assert results(engine) == [("a", {"start": 10, "end": 20}, {"S": 10, "E": 20, "V": 1, "W": 2})]


def test_an_unmatched_row_keeps_its_window() -> None:
    engine = Engine()
    engine.execute(SESSIONS)
    engine.execute(
        "CREATE STREAM o AS SELECT l.id, v, w FROM l LEFT JOIN r WITHIN 1 SECOND GRACE PERIOD 1 SECOND ON l.id = r.id;"
    )
    send(engine, "l", (10, 20), {"V": 1}, 20)
    send(engine, "l", (90_000, 90_001), {"V": 2}, 90_001)
    assert results(engine) == [("a", {"start": 10, "end": 20}, {"V": 1, "W": None})]


def test_grouping_by_another_column_leaves_the_window() -> None:
    engine = Engine()
    engine.execute(SESSIONS)
    engine.execute("CREATE TABLE o AS SELECT v, COUNT(*) AS n FROM l GROUP BY v;")
    send(engine, "l", (10, 20), {"V": 1}, 20)
    send(engine, "l", (30, 40), {"V": 1}, 40)
    assert results(engine) == [(1, None, {"N": 1}), (1, None, {"N": 2})]


def test_partitioning_by_the_key_itself_changes_nothing() -> None:
    engine = Engine()
    engine.execute(SESSIONS)
    engine.execute("CREATE STREAM o AS SELECT * FROM l PARTITION BY id;")
    send(engine, "l", (10, 20), {"V": 1}, 20)
    assert results(engine) == [("a", {"start": 10, "end": 20}, {"V": 1})]
