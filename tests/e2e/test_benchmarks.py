"""The short form of the benchmarks: every run of it checks that what it measured is exact; times are not asserted."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.conftest import ROOT


def test_every_contender_of_the_benchmarks_ends_exact() -> None:
    outcome = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", "delivery", "--only", "whole"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert outcome.returncode == 0, outcome.stderr
    document = json.loads((ROOT / "benchmarks" / "results" / "quick.json").read_text(encoding="utf-8"))
    assert [section["key"] for section in document["sections"]][:2] == ["delivery", "whole"]
    assert {row[0] for row in document["sections"][0]["rows"]} >= {"plain consumer", "sink", "sink, 1 % poison"}
