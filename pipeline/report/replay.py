"""What a replay did, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from rich.markup import escape

from pipeline.dead_letters.replay import ReplayReport
from pipeline.report.console import out, table

_FIRST = 20


def replay_json(report: ReplayReport) -> str:
    """Return the counts, and why letters were not sent, by id."""
    document = {
        "selected": report.selected,
        "sent": report.sent,
        "resolved": report.outcome.get("resolved", 0),
        "failed_again": report.failed_again,
        "in_flight": report.outcome.get("retrying", 0),
        "recovered": report.recovered,
        "kept": {str(number): reason for number, reason in report.kept.items()},
        "superseded": {str(number): reason for number, reason in report.superseded.items()},
        "interrupted": report.interrupted,
    }
    return json.dumps(document)


def print_replay(report: ReplayReport, *, dry_run: bool, waited: bool) -> None:
    """Print what was sent and what became of it; then each letter that stayed as it was, with its reason."""
    if report.recovered:
        out.print(f"{report.recovered:,} letters of an interrupted replay had not been sent: they are pending again")
    if dry_run:
        _print_preview(report)
    else:
        _print_outcome(report, waited=waited)
    _print_reasons(
        "superseded", report.superseded, "they are not sent: that would put an old row in place of a new one"
    )
    _print_reasons("kept", report.kept, "they stay as they were")


def _print_preview(report: ReplayReport) -> None:
    letters = table("id", "user", "to", "row", "value", numbers=frozenset({"id"}))
    for outgoing in report.preview:
        letter = outgoing.letter
        changed = "repaired" if outgoing.value != letter.value else "as it was"
        retry_topic = f"{letter.origin.topic}.retry.{letter.connector}"
        letters.add_row(
            str(letter.id), escape(letter.user or "-"), escape(retry_topic), escape(outgoing.row_key or "?"), changed
        )
    if report.preview:
        out.print(letters)
    if report.sent > len(report.preview):
        out.print(f"[dim]… the first {len(report.preview)} of {report.sent:,}[/]")
    out.print(f"[bold]dry run[/]: {report.sent:,} of {report.selected:,} letters would be sent; nothing was changed")


def _print_outcome(report: ReplayReport, *, waited: bool) -> None:
    verb = "interrupted after" if report.interrupted else "replayed"
    out.print(f"[bold]{verb} {report.sent:,}[/] of {report.selected:,} letters")
    out.print(f"  [green]{report.outcome.get('resolved', 0):,} resolved[/]: their rows arrived")
    if report.failed_again:
        out.print(f"  [red]{report.failed_again:,} failed again[/]: `pipeline dlq list` shows why")
    if on_their_way := report.outcome.get("retrying", 0):
        hint = "; `pipeline status` shows whether the sink runs" if waited else ""
        out.print(f"  [cyan]{on_their_way:,} on their way[/]{hint}")


def _print_reasons(what: str, reasons: Mapping[int, str], consequence: str) -> None:
    if not reasons:
        return
    out.print(f"[red]{len(reasons):,} {what}[/]: {consequence}")
    for reason, count in Counter(reasons.values()).most_common(_FIRST):
        example = next(number for number, each in reasons.items() if each == reason)
        out.print(f"  {count:,} x {escape(reason)} [dim](letter {example})[/]")
