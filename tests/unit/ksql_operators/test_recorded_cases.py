"""The rows, times and windows that ksqlDB 7.4.4 wrote, without regard to formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from embedded.ksql.operators.interface import Row
from embedded.ksql.types import Base, Schema, SqlType
from tests.unit.ksql_operators.replay import Declared, Replay, of_json

CASES = Path(__file__).parents[2] / "golden" / "ksql_cases.json"
GROUPS = ("windows", "joins", "aggregation of tables", "tables from tables", "the product")
# Its key is the bytes of another query's windowed key.
OF_FORMATS = "a keyless stream over a windowed table's topic is grouped without windows"


def cases() -> list[Any]:
    return [
        pytest.param(case, id=case["name"])
        for case in json.loads(CASES.read_text())["cases"]
        if case["group"] in GROUPS and "outputs" in case and case["name"] != OF_FORMATS
    ]


@pytest.mark.parametrize("case", cases())
def test_a_recorded_case_gives_the_same_rows(case: dict[str, Any]) -> None:
    replay = Replay()
    for statement in case["statements"]:
        replay.run(statement)
    for given in case["inputs"]:
        source = of_topic(replay, given["topic"])
        value = None if given["value"] is None else columns(source, given["value"])
        replay.send(given["topic"], [Row(key_of(source, given["key"]), value, given["timestamp"])])
    for topic, expected in case["outputs"].items():
        sink = of_topic(replay, topic)
        assert [shown(row, sink.schema) for row in replay.written[topic]] == [
            (one.get("key"), normal(one["value"]), one["timestamp"], one.get("window")) for one in expected
        ]


def of_topic(replay: Replay, topic: str) -> Declared:
    return next(source for source in replay.sources.values() if source.topic == topic)


def key_of(source: Declared, key: Any) -> tuple[Any, ...] | None:
    return None if key is None else (of_json(source.schema.key[0].type, key),)


def columns(source: Declared, value: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(of_json(column.type, value.get(column.name)) for column in source.schema.value)


def shown(row: Row, schema: Schema) -> tuple[Any, ...]:
    key = None
    if row.key is not None and len(schema.key) == 1:
        key = row.key[0]
    elif row.key is not None and schema.key:
        key = {column.name: part for column, part in zip(schema.key, row.key, strict=True)}
    value = row.value and {c.name: plain(c.type, part) for c, part in zip(schema.value, row.value, strict=True)}
    window = row.window and {"start": row.window[0], "end": row.window[1]}
    return key, value, row.timestamp, window


def plain(kind: SqlType, value: Any) -> Any:
    if value is None or kind.base is not Base.DECIMAL:
        return pytest.approx(value) if isinstance(value, float) else value
    return "0.00" if str(value) == "0" else str(value)


def normal(value: dict[str, Any] | None) -> dict[str, Any] | None:
    """SUM's initial value is written without a scale."""
    return value and {name: "0.00" if part == "0" else part for name, part in value.items()}
