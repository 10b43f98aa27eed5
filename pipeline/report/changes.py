"""A deployment, line by line as it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.markup import escape

from pipeline.deploy.change import Change
from pipeline.report.console import out

_SIGNS = {"created": "[green]+[/]", "updated": "[yellow]~[/]", "unchanged": "[dim]=[/]"}


def print_changes(changes: Iterable[Change]) -> None:
    """Print each change when it is done, then how many there were of each."""
    counts: Counter[str] = Counter()
    for change in changes:
        counts[change.action] += 1
        detail = f" [dim]({escape(change.detail)})[/]" if change.detail else ""
        out.print(f"{_SIGNS[change.action]} {change.kind:9} {escape(change.name)} {change.action}{detail}")
    changed = counts["created"] + counts["updated"]
    if changed:
        out.print(f"[bold]deployed[/]: {counts['created']} created, {counts['updated']} updated, ", end="")
        out.print(f"{counts['unchanged']} unchanged")
    else:
        out.print(f"[bold]nothing to do[/]: all {counts['unchanged']} declarations are deployed as they stand")
