"""A verification, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.markup import escape

from pipeline.canary import Canary
from pipeline.report.console import out, table
from pipeline.verify.verification import (
    Altered,
    Findings,
    Missing,
    ProfileDifference,
    StatsDifference,
    Unexpected,
    Verification,
)

_COUNTS = ("records", "markers", "duplicates", "dead_letters", "erased", "in_flight", "missing")
_DETAILS = ("missing", "unexpected", "altered", "users_mismatched", "profiles_mismatched")


def verification_json(verification: Verification, canary: Canary | None = None) -> str:
    """Return the contract's counts, with the first differences in ``details`` and each partition's accounts."""
    document: dict[str, Any] = {"ok": verification.ok, **asdict(verification)}
    del document["waiting_for"], document["letters"], document["partitions"]
    document |= {name: getattr(verification, name).count for name in _DETAILS}
    document["partitions"] = [asdict(partition) for partition in verification.partitions]
    document["details"] = {
        "waiting_for": verification.waiting_for,
        "letters": verification.letters,
        "missing": [_missing(each) for each in verification.missing.first],
        "unexpected": [asdict(each) for each in verification.unexpected.first],
        "altered": [{**asdict(each), "position": str(each.position)} for each in verification.altered.first],
        "users_mismatched": [asdict(each) for each in verification.users_mismatched.first],
        "profiles_mismatched": [_profile(each) for each in verification.profiles_mismatched.first],
    }
    if canary:
        document["canary"] = asdict(canary)
        document["ok"] = verification.ok and canary.ok
    return json.dumps(document, indent=2, default=_json_value)


def _missing(missing: Missing) -> dict[str, Any]:
    return {**asdict(missing), "position": str(missing.position)}


def _profile(profile: ProfileDifference) -> dict[str, Any]:
    return {**asdict(profile), "position": profile.position and str(profile.position)}


def _json_value(value: object) -> object:
    match value:
        case Decimal():
            return float(value)
        case datetime():
            return value.isoformat()
    message = f"{type(value).__name__} has no JSON"
    raise TypeError(message)


def print_verification(verification: Verification, canary: Canary | None = None) -> None:
    """Print the accounts, then every kind of difference with its first cases."""
    if canary:
        out.print(f"canary: a row after {_seconds(canary.row_seconds)}, counted after {_seconds(canary.stats_seconds)}")
        out.print()
    out.print(_accounts(verification))
    out.print()
    out.print(_partitions(verification))
    out.print()
    _print_differences(verification)
    if verification.ok:
        out.print("[bold green]exact[/]: nothing lost, nothing twice, every statistic and every profile right")
    else:
        out.print(f"[bold red]not exact[/] {escape(verification.waiting_for)}".rstrip())


def _seconds(seconds: float | None) -> str:
    return "[bold red]never[/]" if seconds is None else f"{seconds:.2f} s"


def _accounts(verification: Verification) -> RenderableType:
    accounts = table("", "records", numbers=frozenset({"records"}))
    accounts.add_row("records in user-events", f"{verification.records:,}")
    accounts.add_row("  duplicates absorbed", f"{verification.duplicates:,}")
    accounts.add_row("  not readable as events", f"{verification.unreadable:,}")
    if verification.erased:
        accounts.add_row("  of persons who were erased", f"{verification.erased:,}")
    accounts.add_row("  distinct events", f"{verification.distinct_events:,}")
    accounts.add_row("rows in user_events", f"{verification.rows:,}")
    if verification.unproven:
        accounts.add_row("  whose records retention removed unread", f"{verification.unproven:,}")
    accounts.add_row("dead letters", f"{verification.dead_letters:,}")
    for status, count in verification.letters.items():
        accounts.add_row(f"  {status}", f"{count:,}")
    accounts.add_row("in flight", f"{verification.in_flight:,}")
    accounts.add_row("missing", f"{verification.missing.count:,}")
    accounts.add_row("unexpected", f"{verification.unexpected.count:,}")
    accounts.add_row("altered", f"{verification.altered.count:,}")
    accounts.add_row("users in user_stats", f"{verification.users:,}")
    accounts.add_row("  that differ", f"{verification.users_mismatched.count:,}")
    if verification.users_not_compared:
        accounts.add_row("  not compared: events after their erasure", f"{verification.users_not_compared:,}")
    accounts.add_row("profiles in users", f"{verification.profiles:,}")
    accounts.add_row("  that differ", f"{verification.profiles_mismatched.count:,}")
    if verification.profiles_in_flight:
        accounts.add_row("  in flight", f"{verification.profiles_in_flight:,}")
    if verification.profiles_refused:
        accounts.add_row("  not compared: the last record is a dead letter", f"{verification.profiles_refused:,}")
    if verification.refused_by_ksqldb:
        accounts.add_row("events that ksqlDB left out by its clock", f"{verification.refused_by_ksqldb:,}")
    return accounts


def _partitions(verification: Verification) -> RenderableType:
    """Return the accounts of the partitions that hold anything, without columns in which all are 0."""
    partitions = [partition for partition in verification.partitions if partition.end > partition.first]
    counts = [name for name in _COUNTS if any(getattr(partition, name) for partition in partitions)]
    titles = [name.replace("_", " ") for name in counts]
    shown = table("partition", "from", "to", "sink at", *titles, numbers=frozenset({"from", "to", "sink at", *titles}))
    for partition in partitions:
        numbers = (partition.first, partition.end, partition.committed, *(getattr(partition, name) for name in counts))
        shown.add_row(f"{partition.topic}-{partition.partition}", *(f"{number:,}" for number in numbers))
    return shown


def _print_differences(verification: Verification) -> None:
    _print_missing(verification.missing)
    _print_unexpected(verification.unexpected)
    _print_altered(verification.altered)
    _print_users(verification.users_mismatched)
    _print_profiles(verification.profiles_mismatched)


def _print_missing(findings: Findings) -> None:
    missing = table("record", "event_id", "user_id", "why", title="Missing: passed by the sink, and nowhere")
    each: Missing
    for each in findings.first:
        missing.add_row(str(each.position), each.event_id or "", escape(each.user_id or ""), escape(each.reason))
    _print_first(missing, findings)


def _print_unexpected(findings: Findings) -> None:
    unexpected = table("table", "row", "user_id", title="Unexpected: rows that no record accounts for")
    each: Unexpected
    for each in findings.first:
        unexpected.add_row(each.where, each.what, escape(each.user_id or ""))
    _print_first(unexpected, findings)


def _print_altered(findings: Findings) -> None:
    altered = table("record", "event_id", "column", "in the record", "in the row", title="Altered: rows that differ")
    each: Altered
    for each in findings.first:
        rows = _columns(each.expected, each.actual) or [("", "no row can hold it, or it is gone", "a row")]
        for row in rows:
            altered.add_row(str(each.position), each.event_id, *map(escape, row))
    _print_first(altered, findings)


def _print_users(findings: Findings) -> None:
    users = table("user_id", "column", "by SQL", "in user_stats", title="Users whose statistics differ")
    each: StatsDifference
    for each in findings.first:
        if each.expected is None:
            rows = [("", "erased: `pipeline erase --again`" if each.erased else "no event", "a row")]
        elif each.actual is None:
            rows = [("", f"{each.expected['total_events']} events", "no row")]
        else:
            rows = _columns(each.expected, each.actual)
        for row in rows:
            users.add_row(*map(escape, (each.user_id, *row)))
    _print_first(users, findings)


def _print_profiles(findings: Findings) -> None:
    profiles = table("user_id", "record", "column", "in the record", "in users", title="Profiles that differ")
    each: ProfileDifference
    for each in findings.first:
        if each.expected is None:
            reason = "deleted, or no row can hold it" if each.position else "no record"
            rows = [("", reason, "no row" if each.actual is None else "a row")]
        elif each.actual is None:
            rows = [("", "a profile", "no row and no dead letter")]
        else:
            rows = _columns(each.expected, each.actual)
        for row in rows:
            profiles.add_row(*map(escape, (each.user_id, str(each.position or ""), *row)))
    _print_first(profiles, findings)


def _columns(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [(name, str(value), str(actual[name])) for name, value in expected.items()]


def _print_first(rows: RenderableType, findings: Findings) -> None:
    if not findings.count:
        return
    out.print(rows)
    if findings.count > len(findings.first):
        out.print(f"[dim]… the first {len(findings.first)} of {findings.count:,}[/]")
    out.print()
