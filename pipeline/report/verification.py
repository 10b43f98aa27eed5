"""A verification, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.markup import escape

from pipeline.canary import USER, Canary
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

_COUNTS = ("records", "markers", "unread", "duplicates", "dead_letters", "erased", "in_flight", "missing")
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
        if canary.not_erased:
            goes = f"the next canary that arrives erases it, or `pipeline erase {USER}`"
            out.print(f"[bold red]not erased[/]: {escape(canary.not_erased)}; {goes}")
        out.print()
    out.print(_accounts(verification))
    out.print()
    out.print(_partitions(verification))
    out.print()
    _print_differences(verification)
    if verification.ok:
        moving = f", those of {verification.users_moving:,} users within bounds" if verification.users_moving else ""
        words = f"nothing lost, nothing twice, every statistic and every profile right{moving}"
        out.print(f"[bold green]exact[/]: {words}")
        if verification.unproven:
            out.print(
                f"[yellow]not proven[/]: {verification.unproven:,} rows were written while retention removed records "
                "that no verification had read: nothing tells whether anybody sent them, or sent them so. Verify more "
                "often than retention removes."
            )
    else:
        out.print(f"[bold red]not exact[/] {escape(verification.waiting_for)}".rstrip())


def _seconds(seconds: float | None) -> str:
    return "[bold red]never[/]" if seconds is None else f"{seconds:.2f} s"


def _accounts(verification: Verification) -> RenderableType:
    """Return all counts; those of what is rare only where there is any."""

    def rare(name: str, count: int) -> Sequence[tuple[str, int]]:
        return [(name, count)] if count else []

    counts = (
        ("records in user-events", verification.records),
        ("  duplicates absorbed", verification.duplicates),
        ("  not readable as events", verification.unreadable),
        *rare("  of persons who were erased", verification.erased),
        ("  distinct events", verification.distinct_events),
        ("rows in user_events", verification.rows),
        *rare("  not proven: retention removed records unread", verification.unproven),
        ("dead letters", verification.dead_letters),
        *((f"  {status}", count) for status, count in verification.letters.items()),
        ("in flight", verification.in_flight),
        *rare("arriving: sent after this began", verification.arriving),
        ("missing", verification.missing.count),
        ("unexpected", verification.unexpected.count),
        ("altered", verification.altered.count),
        ("users in user_stats", verification.users),
        ("  that differ", verification.users_mismatched.count),
        *rare("  compared within bounds: their events kept coming", verification.users_moving),
        *rare("  not compared: events after their erasure", verification.users_not_compared),
        ("profiles in users", verification.profiles),
        ("  that differ", verification.profiles_mismatched.count),
        *rare("  in flight", verification.profiles_in_flight),
        *rare("  arriving", verification.profiles_arriving),
        *rare("  not compared: the last record is a dead letter", verification.profiles_refused),
        *rare("events that ksqlDB left out by its clock", verification.refused_by_ksqldb),
    )
    accounts = table("", "records", numbers=frozenset({"records"}))
    for name, count in counts:
        accounts.add_row(name, f"{count:,}")
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
        unexpected.add_row(each.where, escape(each.what), escape(each.user_id or ""))
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
