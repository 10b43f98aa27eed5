"""Everything dies once, in any order, while events, duplicates and poison flow: nothing is lost, nothing is twice.

`make faults` does the same at length, and prints how long each recovery takes.
"""

from __future__ import annotations

import random

from pipeline.waiting import wait_until
from tests.accounts import Load, exact, runs
from tests.conftest import Stack
from tests.faults import FAILED_TASK, KILLS, SECOND_WORKER, postgres_away, postgres_hangs, registry_away

FAULTS = (*KILLS, postgres_away(8), postgres_hangs(5), registry_away(16), SECOND_WORKER, FAILED_TASK)
EVENTS = 20_000
POISON = 2  # a half


def test_nothing_is_lost_and_nothing_is_twice_whatever_dies(deployed: Stack) -> None:
    before = exact(deployed)
    half = EVENTS // len(FAULTS) // 2
    load = Load(deployed)
    faults = random.sample(FAULTS, len(FAULTS))
    for fault in faults:
        load.send(half, poison=POISON)
        with fault.staged(deployed):
            load.send(half, poison=POISON)
    wait_until(lambda: runs(deployed), awaiting="every server and task to run", timeout_seconds=120)
    order = [fault.name for fault in faults]
    after = exact(deployed)
    assert after["rows"] - before["rows"] == 2 * half * len(FAULTS), order
    assert after["dead_letters"] - before["dead_letters"] == 2 * POISON * len(FAULTS), order
