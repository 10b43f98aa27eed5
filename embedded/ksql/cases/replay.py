"""Runs a case and says where it differs from what was recorded."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from embedded.ksql.cases.engine import Engine
from embedded.ksql.cases.records import produce, shown
from embedded.ksql.errors import KsqlError
from embedded.ksql.planning.catalog import DeclaredSource

TOLERANCE = 1e-6
#: Messages that quote ksqlDB's own Java: status and statement are enough.
_JAVA = ("io.confluent", "java.", "No applicable constructor")


def load_cases(path: Path) -> list[dict[str, Any]]:
    """Return the cases of a file. Raises ValueError if it is not in the format of cases."""
    document = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    if not isinstance(document, dict) or not isinstance(document.get("cases"), list):
        raise ValueError("expected an object with a list 'cases'")  # noqa: TRY004 - a wrong file, not a wrong call
    cases: list[dict[str, Any]] = document["cases"]
    for index, case in enumerate(cases):
        missing = [name for name in ("group", "name", "statements", "inputs") if name not in case]
        if missing or ("outputs" in case) == ("error" in case):
            lacking = ", ".join(missing) or "either 'outputs' or 'error'"
            raise ValueError(f"cases[{index}] lacks {lacking}")
    return cases


def differences(case: Mapping[str, Any]) -> list[str]:
    """Run a case; return what differs, nothing if all is as recorded. A crash of the engine is a difference too."""
    try:
        return _differences(case)
    except Exception as error:  # noqa: BLE001 - the other cases go on
        return [f"crashed: {type(error).__name__}: {error}"]


def _differences(case: Mapping[str, Any]) -> list[str]:
    engine = Engine()
    for subject, schema in case.get("schemas", {}).items():
        engine.cluster.registry.register(subject, json.dumps(schema))
    failed = _execute(engine, case["statements"])
    if "error" in case or failed is not None:
        return _error_differences(case.get("error"), failed)
    for given in case["inputs"]:
        source = next((s for s in engine.catalog.sources.values() if s.topic == given["topic"]), None)
        if source is None:
            return [f"input: no statement declares the topic '{given['topic']}'"]
        produce(engine.cluster, source, given)
        engine.run()
    if not case["inputs"]:
        engine.run()  # what the statements inserted
    found = _sink_differences(engine, case.get("sinks", {}))
    for topic, expected in case["outputs"].items():
        found += _output_differences(engine, topic, expected)
    return found


def _execute(engine: Engine, statements: list[str]) -> tuple[int, KsqlError] | None:
    for index, text in enumerate(statements):
        try:
            engine.execute(text)
        except KsqlError as error:
            return index, error
    return None


def _error_differences(expected: Mapping[str, Any] | None, failed: tuple[int, KsqlError] | None) -> list[str]:
    if failed is None:
        return [f"error: expected '{(expected or {}).get('message')}', but every statement was accepted"]
    index, error = failed
    if expected is None:
        return [f"statement {index}: refused with '{error.message}'"]
    found = []
    if expected["statement"] != index:
        found.append(f"error: expected at statement {expected['statement']}, came at {index}: {error.message}")
    if expected["status"] != error.status:
        found.append(f"error: expected status {expected['status']}, got {error.status}")
    wanted = expected["message"].partition("\n")[0]
    if wanted != error.message.partition("\n")[0] and not any(part in expected["message"] for part in _JAVA):
        found.append(f"error: expected '{wanted}', got '{error.message}'")
    return found


def _sink_differences(engine: Engine, sinks: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = []
    for topic, expected in sinks.items():
        source = engine.catalog.source(expected["name"])
        described = None if source is None else _described(source)
        if described != dict(expected):
            found.append(f"sink {topic}: expected {dict(expected)}, got {described}")
    return found


def _described(source: DeclaredSource) -> dict[str, Any]:
    keys = [{"name": column.name, "type": str(column.type), "key": True} for column in source.schema.key]
    values = [{"name": column.name, "type": str(column.type)} for column in source.schema.value]
    described = {
        "name": source.name,
        "type": source.kind,
        "key_format": source.key_format.name,
        "value_format": source.value_format.name,
        "columns": keys + values,
    }
    if source.window is not None:
        size = source.window.size_ms
        described["window"] = source.window.kind if size is None else f"{source.window.kind} {size} ms"
    return described


def _output_differences(engine: Engine, topic: str, expected: list[Mapping[str, Any]]) -> list[str]:
    source = engine.reader_of(topic, windowed=any("window" in record for record in expected))
    if source is None:
        return [f"{topic}: no statement writes it"]
    messages = engine.cluster.topics[topic]
    written = [shown(source, message, engine.cluster.registry) for message in messages]
    found = [
        f"{topic}[{index}]: expected {_short(want)}, got {_short(got)}"
        for index, (want, got) in enumerate(zip(expected, written, strict=False))
        if not _same(dict(want), got)
    ]
    if len(expected) != len(written):
        found.append(f"{topic}: expected {len(expected)} records, got {len(written)}")
    failures = [query.failure for query in engine.queries.values() if query.failure is not None]
    return found + [f"{topic}: a query ended: {failure}" for failure in failures if found]


def _short(record: Mapping[str, Any]) -> str:
    return json.dumps(record, default=str, ensure_ascii=False)


def _same(want: Any, got: Any) -> bool:
    match want, got:
        case dict(), dict():
            return want.keys() == got.keys() and all(_same(part, got[name]) for name, part in want.items())
        case list(), list():
            return len(want) == len(got) and all(_same(one, other) for one, other in zip(want, got, strict=True))
        case bool(), _:
            return want is got
        case ((int() | float() | Decimal()), (int() | float() | Decimal())):
            return not isinstance(got, bool) and math.isclose(want, got, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
        case str(), str():
            return want == got or _is_zero(want, got)
        case _:
            return bool(want == got)


def _is_zero(want: str, got: str) -> bool:
    """Whether both are a decimal 0, one of them SUM's initial value without a scale."""
    try:
        return "0" in (want, got) and Decimal(want) == Decimal(got) == 0
    except InvalidOperation:
        return False
