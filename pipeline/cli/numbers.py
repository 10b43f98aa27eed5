"""Numbers as options: finite, and no larger than what is behind them takes."""

from __future__ import annotations

import math
from typing import Any

import click


class Finite(click.FloatRange):
    """A number within a range; `nan` is within none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number; a usage error where it is none, or out of range."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


SECONDS = Finite(min=0, max=1_000_000)
INTERVAL = Finite(min=0.1, max=1_000_000)
RATE = Finite(min=0, max=1_000_000_000, min_open=True)
SHARE = Finite(min=0, max=1)
COUNT = click.IntRange(min=1, max=1_000_000_000_000)
USERS = click.IntRange(min=1, max=10_000_000)
ID = click.IntRange(min=1, max=2**63 - 1)
VERSION = click.IntRange(min=1, max=2**31 - 1)
