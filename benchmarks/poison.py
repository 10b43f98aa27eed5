"""What bad rows cost the sink: its rate with 1 % of them against its rate without, in rounds that take turns."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.delivery import Delivery
from benchmarks.rounds import interleave
from benchmarks.stack import put, running_stack
from benchmarks.workload import fill_topic
from pipeline.settings import Settings

EVENTS = 200_000
SHARE = 0.01
ROUNDS = 5


def main() -> None:
    """Measure on a stack of its own."""
    with running_stack(throughput=True) as running:
        settings = running.settings
        put(settings, ("topic", "schema", "table"))
        measure_poison(settings, EVENTS)


def measure_poison(settings: Settings, events: int) -> None:
    """Print the rows a second of each round, and what share of the clean rate is left."""
    with TemporaryDirectory(prefix="bench-poison-") as directory:
        clean, bad = (
            Delivery(settings, fill_topic(settings, events, poison=share), Path(directory)) for share in (0.0, SHARE)
        )
        contenders = {"clean": clean.by_connect, f"{SHARE:.0%} bad rows": bad.by_connect}
        _, series = interleave(contenders, "clean", rounds=ROUNDS)
    print(f"poison    {SHARE:.0%} bad rows leave {series.ratio:.0%} of the clean rate (median of {ROUNDS} rounds)")


if __name__ == "__main__":
    main()
