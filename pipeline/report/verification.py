"""A verification, for people and for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.markup import escape

from pipeline.report.console import out, table
from pipeline.verify.database import StatsDifference
from pipeline.verify.verification import Verification

FIRST = 20


def verification_json(verification: Verification) -> str:
    """Return the contract's counts, with the first differences in ``details``."""
    document: dict[str, Any] = {
        "ok": verification.ok,
        "records": verification.records,
        "distinct_events": verification.distinct_events,
        "duplicates": verification.duplicates,
        "unreadable": verification.unreadable,
        "rows": verification.rows,
        "dead_letters": verification.dead_letters,
        "in_flight": verification.in_flight,
        "missing": len(verification.missing) + len(verification.missing_unreadable),
        "unexpected": len(verification.unexpected),
        "users": verification.users,
        "users_mismatched": len(verification.users_mismatched),
        "details": {
            "waiting_for": verification.waiting_for,
            "missing": [
                {"event_id": str(event.event_id), "position": str(event.position)}
                for event in verification.missing[:FIRST]
            ],
            "missing_unreadable": [str(position) for position in verification.missing_unreadable[:FIRST]],
            "unexpected": [str(event_id) for event_id in verification.unexpected[:FIRST]],
            "users_mismatched": [asdict(difference) for difference in verification.users_mismatched[:FIRST]],
        },
    }
    return json.dumps(document, indent=2)


def print_verification(verification: Verification) -> None:
    """Print the accounts, then every kind of difference with its first cases."""
    out.print(_accounts(verification))
    out.print()
    _print_differences(verification)
    if verification.ok:
        out.print("[bold green]exact[/]: nothing lost, nothing twice, every statistic equals what SQL computes")
    else:
        out.print(f"[bold red]not exact[/] {escape(verification.waiting_for)}".rstrip())


def _accounts(verification: Verification) -> RenderableType:
    accounts = table("", "records", numbers=frozenset({"records"}))
    accounts.add_row("records in user-events", f"{verification.records:,}")
    accounts.add_row("  duplicates absorbed", f"{verification.duplicates:,}")
    accounts.add_row("  not readable as events", f"{verification.unreadable:,}")
    accounts.add_row("  distinct events", f"{verification.distinct_events:,}")
    accounts.add_row("rows in user_events", f"{verification.rows:,}")
    accounts.add_row("dead letters", f"{verification.dead_letters:,}")
    accounts.add_row("in flight", f"{verification.in_flight:,}")
    accounts.add_row("missing", f"{len(verification.missing) + len(verification.missing_unreadable):,}")
    accounts.add_row("unexpected", f"{len(verification.unexpected):,}")
    accounts.add_row("users in user_stats", f"{verification.users:,}")
    accounts.add_row("  that differ", f"{len(verification.users_mismatched):,}")
    return accounts


def _print_differences(verification: Verification) -> None:
    if verification.missing:
        missing = table("event_id", "partition:offset", title="Missing: in the topic, but no row and no dead letter")
        for event in verification.missing[:FIRST]:
            missing.add_row(str(event.event_id), str(event.position))
        _print_first(missing, len(verification.missing))
    if verification.missing_unreadable:
        unreadable = table("partition:offset", title="Missing: unreadable records that are no dead letters")
        for position in verification.missing_unreadable[:FIRST]:
            unreadable.add_row(str(position))
        _print_first(unreadable, len(verification.missing_unreadable))
    if verification.unexpected:
        unexpected = table("event_id", title="Unexpected: rows whose event is not in the topic")
        for event_id in verification.unexpected[:FIRST]:
            unexpected.add_row(str(event_id))
        _print_first(unexpected, len(verification.unexpected))
    if verification.users_mismatched:
        users = table("user_id", "column", "by SQL", "in user_stats", title="Users whose statistics differ")
        for difference in verification.users_mismatched[:FIRST]:
            for row in _difference_rows(difference):
                users.add_row(*map(escape, row))
        _print_first(users, len(verification.users_mismatched))


def _difference_rows(difference: StatsDifference) -> list[tuple[str, str, str, str]]:
    if difference.expected is None:
        return [(difference.user_id, "", "no event", "a row")]
    if difference.actual is None:
        return [(difference.user_id, "", f"{difference.expected['total_events']} events", "no row")]
    return [
        (difference.user_id, column, str(expected), str(difference.actual[column]))
        for column, expected in difference.expected.items()
    ]


def _print_first(rows: RenderableType, total: int) -> None:
    out.print(rows)
    if total > FIRST:
        out.print(f"[dim]… the first {FIRST} of {total:,}[/]")
    out.print()
