"""Calls that never return end the process, and only those."""

from __future__ import annotations

import signal
import subprocess
import sys
from threading import Event

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


FROZEN = """
import sys, time
from embedded.ksql.runtime import hanging
hanging.GRACE_SECONDS = 0.0
with hanging.returning_within(2.0, "a call during which the process is frozen"):
    print("began", flush=True)
    sys.stdin.readline()
    time.sleep(1.3)
print("went on")
"""


def test_time_in_which_the_process_was_frozen_does_not_count() -> None:
    program = [sys.executable, "-c", FROZEN]
    with subprocess.Popen(program, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "began\n"
        process.send_signal(signal.SIGSTOP)
        Event().wait(3.0)  # longer than the call may take
        process.send_signal(signal.SIGCONT)
        out, _ = process.communicate("\n", timeout=60)
    assert (process.returncode, out) == (0, "went on\n")
