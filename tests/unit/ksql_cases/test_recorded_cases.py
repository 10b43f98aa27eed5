"""Statements and records as ksqlDB 7.4.4 answered them, in bytes, through the engine in process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embedded.ksql.cases.replay import differences, load_cases

CASES = Path(__file__).parents[2] / "golden" / "ksql_cases.json"
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in load_cases(CASES)])
def test_a_recorded_case_gives_the_same_records_or_the_same_error(case: dict[str, Any]) -> None:
    assert differences(case) == []


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "embedded.ksql.cases", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_replays_a_file_and_says_how_many_cases_pass(figure: Callable[[str], None]) -> None:
    outcome = run(str(CASES))
    figure(f"recorded ksqlDB cases: {outcome.stdout.splitlines()[-1]}")
    assert (outcome.returncode, outcome.stdout) == (0, f"{len(load_cases(CASES))} passed, 0 failed\n")


def one_case() -> dict[str, Any]:
    case = next(
        case for case in load_cases(CASES) if case["name"] == "IF NOT EXISTS leaves an existing source as it is"
    )
    copied: dict[str, Any] = json.loads(json.dumps(case))
    return copied


def test_a_difference_is_printed_with_its_case_and_place_and_fails(tmp_path: Path) -> None:
    case = one_case()
    case["outputs"]["O"][0]["value"]["A"] = 2
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({"cases": [case]}))
    outcome = run(str(file))
    assert outcome.returncode == 1
    assert outcome.stdout.startswith(
        "sources and formats: IF NOT EXISTS leaves an existing source as it is: O[0]: expected"
    )
    assert outcome.stdout.endswith("\n0 passed, 1 failed\n")


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"outputs": {"O": []}}, "O: expected 0 records, got 1"),
        (
            {"statements": ["CREATE STREAM s (k STRING KEY, a FLOAT) WITH (KAFKA_TOPIC='s');"]},
            "statement 0: refused with",
        ),
        ({"inputs": [{"topic": "elsewhere", "key": "k", "value": {}, "timestamp": 1}]}, "input: no statement declares"),
        ({"sinks": {"O": {"name": "O", "type": "TABLE"}}}, "sink O: expected"),
    ],
)
def test_every_part_of_a_case_is_compared(change: dict[str, Any], difference: str) -> None:
    assert any(found.startswith(difference) for found in differences(one_case() | change))


def test_an_expected_error_that_does_not_come_is_a_difference() -> None:
    case = one_case()
    del case["outputs"]
    case["error"] = {"statement": 0, "status": 400, "message": "no"}
    assert differences(case) == ["error: expected 'no', but every statement was accepted"]


@pytest.mark.parametrize("content", ["[]", '{"cases": [{"group": "g"}]}', "nonsense"])
def test_a_file_of_another_format_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(content)
    outcome = run(str(file))
    assert outcome.returncode == 2
    assert len(outcome.stderr.splitlines()) == 1
    assert f"{file} is not in the format of cases" in outcome.stderr
