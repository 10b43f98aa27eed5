"""The deployments so far."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.plan.bookkeeping import Deployment
from pipeline.report.console import out, table

_SHOWN = 12


def print_deployments(history: Sequence[Deployment]) -> None:
    """Print a line for each, newest first."""
    lines = table("id", "began", "by", "files", "outcome", numbers=frozenset({"id"}))
    for one in history:
        began = one.began_at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
        lines.add_row(str(one.id), began, one.os_user, one.sha256[:_SHOWN], one.outcome or "interrupted, or runs")
    out.print(lines if history else "nothing was deployed yet: `pipeline deploy`")
