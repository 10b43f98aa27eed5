"""Moments on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import click

from pipeline.cli.produce import Span


class Moment(click.ParamType[datetime]):
    """A date, a time, or a span before now: 2026-01-31, 2026-01-31T12:00Z, 2h. UTC unless it says otherwise."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment; a usage error where the text is none."""
        text = str(value)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            if text[:-1].isdecimal():
                return self._before_now(Span().convert(text, param, ctx), param, ctx)
            self.fail(
                f"{text!r} is no moment; write 2026-01-31, 2026-01-31T12:00Z or, for two hours ago, 2h", param, ctx
            )
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _before_now(self, span: timedelta, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        try:
            return datetime.now(UTC) - span
        except OverflowError:
            self.fail("so long ago there were no dates", param, ctx)
