"""Dead letters, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape

from pipeline.dead_letters.export import json_value, letter_document
from pipeline.dead_letters.letter import STATUSES, Letter, Status, text_or_none
from pipeline.dead_letters.look import Look
from pipeline.dead_letters.table import Group
from pipeline.report.console import out, table

_BULKY = {"record", "headers", "key", "value"}
_COLOURS = {"pending": "yellow", "retrying": "cyan", "resolved": "green", "dead": "red", "discarded": "dim"}
_HEX_SHOWN = 512  # bytes


def letter_line(letter: Letter) -> dict[str, Any]:
    """Return what `dlq list --json` prints of a letter: all but its content."""
    return {name: value for name, value in letter_document(letter).items() if name not in _BULKY}


def print_groups(groups: Mapping[Group, Counter[Status]]) -> None:
    """Print counts by connector, reason and day, a column for each status that occurs."""
    totals: Counter[Status] = sum(groups.values(), Counter())
    shown = [status for status in STATUSES if totals[status]]
    counts = table("connector", "day", *shown, "reason", numbers=frozenset(shown))
    for group, by_status in groups.items():
        numbers = (f"{by_status[status]:,}" if by_status[status] else "" for status in shown)
        counts.add_row(escape(group.connector), group.day.isoformat(), *numbers, escape(group.reason))
    out.print(counts)
    out.print(f"[bold]{totals.total():,}[/] letters: {', '.join(f'{totals[status]:,} {status}' for status in shown)}")


def print_letters(letters: Sequence[Letter], *, more: bool) -> None:
    """Print one line a letter."""
    columns = ("id", "first seen", "connector", "user", "status", "retries", "reason")
    lines = table(*columns, numbers=frozenset({"id", "retries"}))
    for letter in letters:
        lines.add_row(
            str(letter.id),
            f"{letter.first_seen:%Y-%m-%d %H:%M}",
            escape(letter.connector),
            escape(letter.user or "-"),
            coloured(letter.status),
            str(letter.retry_count),
            escape(letter.reason),
        )
    out.print(lines)
    if more:
        out.print(f"[dim]… the newest {len(letters):,}; --limit shows more[/]")


def coloured(status: Status) -> str:
    """Return the status in its colour."""
    return f"[{_COLOURS[status]}]{status}[/]"


def print_look(look: Look) -> None:
    """Print a letter with its failure, fields, headers, the row that exists, and its history."""
    letter = look.letter
    why = f" ({escape(letter.status_reason)})" if letter.status_reason else ""
    facts = table("", "")
    facts.add_row("letter", str(letter.id))
    facts.add_row("status", coloured(letter.status) + why)
    facts.add_row("record", escape(str(letter.origin)))
    facts.add_row("connector", f"{escape(letter.connector)}, stage {escape(letter.stage)}")
    facts.add_row("reason", escape(letter.reason))
    facts.add_row("message", escape(letter.error_message or letter.error_type))
    facts.add_row("seen", f"{letter.first_seen:%Y-%m-%d %H:%M:%S %Z}, last {letter.last_seen:%Y-%m-%d %H:%M:%S %Z}")
    facts.add_row("failed replays", str(letter.retry_count))
    facts.add_row("key", _content(letter.key))
    out.print(facts)
    _print_value(look)
    _print_headers(letter)
    _print_row(look)
    _print_history(look)


def _print_value(look: Look) -> None:
    out.print()
    if look.letter.record is None:
        out.print("[bold]value[/], which cannot be decoded")
        out.print(_hex(look.letter.value))
        return
    fields = table("field", "value", title=escape(f"value, as {look.schema}"))
    for name, value in look.letter.record.items():
        if value is not None:
            fields.add_row(escape(name), escape(str(json_value(value))))
    out.print(fields)


def _print_headers(letter: Letter) -> None:
    if letter.headers:
        headers = table("header", "value", title="headers")
        for name, value in letter.headers:
            headers.add_row(escape(name), _content(value))
        out.print()
        out.print(headers)


def _print_row(look: Look) -> None:
    out.print()
    if look.row is None:
        out.print(f"[bold]no such row yet[/]: {escape(look.row_note)}")
        return
    row = table("column", "value", title=escape(f"the row that exists: {look.row_note}"))
    for name, value in look.row.items():
        if value is not None:
            row.add_row(escape(name), escape(json.dumps(value) if isinstance(value, dict | list) else str(value)))
    out.print(row)


def _print_history(look: Look) -> None:
    if look.actions:
        history = table("when", "who", "what", "how", "", title="history")
        for action in look.actions:
            history.add_row(
                f"{action.began_at:%Y-%m-%d %H:%M:%S}",
                escape(action.actor),
                action.action,
                escape(json.dumps(action.arguments)),
                escape(action.failure or ""),
            )
        out.print()
        out.print(history)


def _content(content: bytes | None) -> str:
    text = text_or_none(content)
    return escape(text) if text is not None and text.isprintable() else _hex(content)


def _hex(content: bytes | None) -> str:
    if content is None:
        return "[dim]null[/]"
    rest = f" … {len(content):,} bytes" if len(content) > _HEX_SHOWN else ""
    return content[:_HEX_SHOWN].hex(" ") + rest
