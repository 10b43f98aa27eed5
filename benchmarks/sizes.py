"""How much is measured: the long form, and the short one that CI runs for its exactness."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of events, rounds and seconds; rates are events a second."""

    rounds: int
    warm_ups: int
    whole_warm_ups: int
    """Java compiles what the servers do for a million events: at 300,000 a round it took a tenth of their time."""
    delivery_events: int
    whole_events: int
    latency_rates: tuple[int, ...]
    latency_seconds: int
    scale_events: int
    """With 200,000, layouts of two tasks had the rate of one task in some rounds and of two in others."""
    layouts: tuple[tuple[int, int, int], ...]
    """Partitions, tasks, Connect workers."""
    producer_events: int
    engine_events: int
    engine_keys: int
    keys: tuple[int, ...]
    """Of one aggregation without a window."""
    windowed_keys: int
    verified_rows: tuple[int, ...]


LONG = Sizes(
    rounds=3,
    warm_ups=1,
    whole_warm_ups=4,
    delivery_events=300_000,
    whole_events=300_000,
    latency_rates=(200, 1_000, 5_000),
    latency_seconds=60,
    scale_events=600_000,
    layouts=((1, 1, 1), (2, 2, 1), (4, 1, 1), (4, 2, 1), (4, 4, 1), (12, 2, 1), (12, 6, 1), (4, 2, 2), (12, 6, 2)),
    producer_events=200_000,
    engine_events=300_000,
    engine_keys=1_000_000,
    keys=(1_000, 10_000, 100_000, 1_000_000),
    windowed_keys=100_000,
    verified_rows=(1_000_000, 10_000_000),
)

QUICK = Sizes(
    rounds=1,
    warm_ups=0,
    whole_warm_ups=0,
    delivery_events=20_000,
    whole_events=20_000,
    latency_rates=(200,),
    latency_seconds=5,
    scale_events=10_000,
    layouts=((4, 2, 1),),
    producer_events=10_000,
    engine_events=20_000,
    engine_keys=20_000,
    keys=(1_000,),
    windowed_keys=1_000,
    verified_rows=(),
)
