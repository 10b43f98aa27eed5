"""Interleaved rounds: A B A B, so that whatever else the machine does meets all contenders alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

ROUNDS = 3

Contender = Callable[[], float]
"""One run; returns its rate, such as rows a second."""


@dataclass(frozen=True, slots=True)
class Series:
    """The rates of one contender, a round each, and those of the baseline in the same rounds."""

    name: str
    values: list[float]
    baseline: list[float]

    @property
    def median(self) -> float:
        """The middle rate."""
        return median(self.values)

    @property
    def ratios(self) -> list[float]:
        """This contender's rate divided by the baseline's, in each round."""
        return [value / base for value, base in zip(self.values, self.baseline, strict=True)]

    @property
    def ratio(self) -> float:
        """The middle of the ratios."""
        return median(self.ratios)


def interleave(
    contenders: Mapping[str, Contender], baseline: str, *, rounds: int = ROUNDS, warm_ups: int = 1
) -> list[Series]:
    """Run every contender once a round and print each rate; the ``warm_ups`` before the first count for nothing.

    Those are for compilers and caches: figures are those of the steady state.
    """
    values: dict[str, list[float]] = {name: [] for name in contenders}
    for number in range(1 - warm_ups, rounds + 1):
        for name, run in contenders.items():
            rate = run()
            label = f"round {number}" if number > 0 else "warm-up"
            print(f"  {label:8} {name:40} {rate:12,.0f}", flush=True)
            if number > 0:
                values[name].append(rate)
    return [Series(name, series, values[baseline]) for name, series in values.items()]
