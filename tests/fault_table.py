"""`make faults`: every fault at length on a stack of its own, and what each did, as a table."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.accounts import RESENT_EVERY, Load, runs, verification
from tests.conftest import Stack, running_stack
from tests.faults import (
    FAILED_TASK,
    KILLS,
    SECOND_WORKER,
    Fault,
    full_disk,
    postgres_away,
    postgres_hangs,
    registry_away,
)

FAULTS = (*KILLS, postgres_away(60), postgres_hangs(30), registry_away(30), full_disk(30), SECOND_WORKER, FAILED_TASK)
EVENTS = 100_000
POISON = 0.001
PATIENCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Result:
    """What a fault did. ``recovery_seconds`` is from its end until all was through and proven."""

    fault: str
    recovery_seconds: float
    exact: bool
    lost: int
    doubled: int
    stray_letters: int

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return self.exact and self.lost == self.doubled == self.stray_letters == 0


def survive(stack: Stack, load: Load, fault: Fault, events: int) -> Result:
    """Stage a fault in the middle of events, and account for all of them afterwards."""
    before = verification(stack, PATIENCE_SECONDS)
    poison = max(1, int(events * POISON) // 2)
    load.send(events // 2, poison=poison)
    with fault.staged(stack):
        load.send(events // 2, poison=poison)
    ended = time.monotonic()
    after = verification(stack, PATIENCE_SECONDS)
    seconds = time.monotonic() - ended
    return Result(
        fault=fault.name,
        recovery_seconds=seconds,
        exact=after["ok"] and runs(stack),
        lost=2 * (events // 2) - grown("rows", before, after),
        doubled=after["unexpected"] + after["users_mismatched"],
        stray_letters=grown("dead_letters", before, after) - 2 * poison,
    )


def grown(name: str, before: dict[str, Any], after: dict[str, Any]) -> int:
    """Return by how much a count has grown."""
    return int(after[name]) - int(before[name])


def report(result: Result) -> str:
    """Return a line of the table."""
    counts = f"{result.lost:>6,} {result.doubled:>11,} {result.stray_letters:>18,}"
    verdict = "exact" if result.passed else "NOT EXACT"
    return f"{result.fault:48} {result.recovery_seconds:>10.1f} {counts}  {verdict}"


@contextmanager
def deployed() -> Iterator[Stack]:
    """Start a stack of its own with everything deployed."""
    with TemporaryDirectory(prefix="faults-") as directory, running_stack(Path(directory)) as stack:
        outcome = stack.pipeline("deploy")
        if outcome.returncode:
            sys.exit(outcome.stderr)
        yield stack


def main() -> None:
    """Stage all faults in random order and print the table; exit 1 if one was not survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=EVENTS, help="events in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=None, help="of the order (default: another each time)")
    options = parser.parse_args()
    seed = random.randrange(10_000) if options.seed is None else options.seed
    faults = random.Random(seed).sample(FAULTS, len(FAULTS))
    each = options.events // len(faults)
    print(f"a fault: {each:,} events, {1 / RESENT_EVERY:.0%} of them twice, and {POISON:.1%} poison; --seed {seed}")
    print(f"{'fault':48} {'recovery s':>10} {'lost':>6} {'duplicated':>11} {'other dead letters':>18}")
    results = []
    with deployed() as stack:
        load = Load(stack)
        for fault in faults:
            results.append(survive(stack, load, fault, each))
            print(report(results[-1]), flush=True)
    sys.exit(not all(result.passed for result in results))


if __name__ == "__main__":
    main()
