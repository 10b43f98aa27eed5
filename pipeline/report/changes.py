"""A plan, difference by difference, and a deployment, line by line as it happens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.markup import escape

from pipeline.deploy.all import Outcome
from pipeline.plan.change import CHANGING, Action, Change, Difference
from pipeline.plan.plan import Plan
from pipeline.report.console import out

_SIGNS: dict[Action, str] = {
    "create": "[green]+[/]",
    "update": "[yellow]~[/]",
    "rebuild": "[yellow]~[/]",
    "delete": "[red]-[/]",
    "keep": "[dim]?[/]",
    "drift": "[yellow]?[/]",
    "unknown": "[yellow]?[/]",
    "unchanged": "[dim]=[/]",
}
_DONE: dict[Action, str] = {
    "create": "created",
    "update": "updated",
    "rebuild": "rebuilt",
    "delete": "deleted",
    "keep": "kept",
    "drift": "has more than is declared",
    "unknown": "not compared",
    "unchanged": "unchanged",
}
_TOLD: frozenset[Action] = frozenset({"keep", "unknown"})  # nothing is done, and that is worth a line
_REFUSED = "[bold red]![/]"
_LONGEST = 80
_LONGEST_DONE = 160  # of what has been done: the plan says it all
_CONTEXT = 20


def print_plan(plan: Plan) -> None:
    """Print what would be done, key by key, with its consequences in words, and what cannot be done."""
    for change in plan.changes:
        if change.changes or change.consequences or change.action in _TOLD:
            _print_change(change)
    counts = Counter(change.action for change in plan.changes)
    if not plan.has_changes:
        out.print(_nothing_to_do(counts))
        return
    todo = [f"{counts[action]} to {action}" for action in sorted(CHANGING) if counts[action]]
    if counts["drift"]:
        todo.append(f"{counts['drift']} with more than is declared, which a migration can take away")
    summary = ", ".join(todo) or "nothing to do"
    out.print(f"[bold]plan[/]: {summary}, {counts['unchanged']} unchanged")
    if plan.refusals:
        out.print(f"[bold red]cannot be deployed[/]: {len(plan.refusals)} refused, see {_REFUSED}")


def _print_change(change: Change) -> None:
    sign = _REFUSED if change.refusal else _SIGNS[change.action]
    out.print(f"{sign} {change.kind:9} [bold]{escape(change.name)}[/] {change.action}")
    if change.action != "create":
        for difference in change.differences:
            out.print(f"      {_shown(difference)}")
    for consequence in change.consequences:
        out.print(f"      [dim]{escape(consequence)}[/]")
    if change.refusal:
        out.print(f"      [red]! {escape(change.refusal)}[/]")


def _shown(difference: Difference) -> str:
    key = escape(difference.key)
    before, after = map(escape, _cut_both(difference.before or "", difference.after or ""))
    if difference.before is None:
        return f"[green]+ {key}[/]: {after}"
    if difference.after is None:
        return f"[red]- {key}[/]: {before}"
    return f"[yellow]~ {key}[/]: {before} → {after}"


def _cut_both(before: str, after: str) -> tuple[str, str]:
    """Return two values as they fit into a line, beginning shortly before they differ."""
    lines = [" ".join(value.split()) for value in (before, after)]
    if max(map(len, lines)) <= _LONGEST:
        return lines[0], lines[1]
    pairs = enumerate(zip(*lines, strict=False))
    common = next((index for index, (one, other) in pairs if one != other), min(map(len, lines)))
    begin = common - _CONTEXT if common > _CONTEXT else 0
    cut = [f"{'…' if begin else ''}{line[begin:]}" for line in lines]
    first, second = (line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…" for line in cut)
    return first, second


def print_outcomes(outcomes: Iterable[Outcome]) -> None:
    """Print each change when it is done, then how many there were of each; where it stops, what was left."""
    counts: Counter[Action] = Counter()
    for outcome in outcomes:
        change = outcome.change
        if outcome.state == "left":
            out.print(f"[dim]· {change.kind:9} {escape(change.name)} left as it was, or not known to be healthy[/]")
            continue
        counts[change.action] += 1
        words = change.detail or "; ".join(change.consequences)
        shortened = words if len(words) <= _LONGEST_DONE else f"{words[:_LONGEST_DONE]}…"
        detail = f" [dim]({escape(shortened)})[/]" if words else ""
        out.print(f"{_SIGNS[change.action]} {change.kind:9} {escape(change.name)} {_DONE[change.action]}{detail}")
    done = [f"{counts[action]} {_DONE[action]}" for action in ("create", "update", "rebuild", "delete")]
    shown = [words for words in done if not words.startswith("0 ") or words.endswith(("created", "updated"))]
    if any(counts[action] for action in ("create", "update", "rebuild", "delete")):
        out.print(f"[bold]deployed[/]: {', '.join(shown)}, {counts['unchanged']} unchanged")
    else:
        out.print(_nothing_to_do(counts))


def _nothing_to_do(counts: Counter[Action]) -> str:
    if not counts:
        return "[bold]nothing to do[/]: nothing is declared, or ACLs have no effect here (no authorizer, or IAM)"
    others = "other declarations" if counts["unknown"] else "declarations"
    return f"[bold]nothing to do[/]: all {counts['unchanged']} {others} are deployed as they stand"
