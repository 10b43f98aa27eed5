"""Calls that never return end the process, and only those."""

from __future__ import annotations

import subprocess
import sys

from embedded.ksql.runtime.hanging import EXIT_CODE
from tests.conftest import ROOT

PROGRAM = """
import threading, time
from embedded.ksql.runtime import hanging
hanging.GRACE_SECONDS = 0.0
with hanging.returning_within(60.0, "a quick call"):
    pass
with hanging.returning_within({seconds}, "a call that waits"):
    time.sleep(2.5)
print("went on")
"""


def run(seconds: float) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(seconds=seconds)
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_call_that_does_not_return_in_time_ends_the_process_with_a_reason() -> None:
    outcome = run(0.1)
    assert outcome.returncode == EXIT_CODE
    assert "a call that waits" in outcome.stdout + outcome.stderr
    assert "went on" not in outcome.stdout


def test_a_call_that_returns_in_time_does_not() -> None:
    outcome = run(30.0)
    assert outcome.returncode == 0
    assert outcome.stdout.strip() == "went on"
