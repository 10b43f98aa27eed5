"""Rows of a query, as they come."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

import click
from rich.markup import escape

from pipeline.report.console import out, table

_SCREEN = 500  # rows of one table; a longer answer goes on in a second one


def print_rows(answer: Iterator[list[Any]], *, live: bool, as_json: bool) -> None:
    """Print column names and rows: one JSON object a row, or a table; ``live``: each row the moment it comes."""
    columns = next(answer, [])
    if as_json:
        for row in answer:
            click.echo(json.dumps(dict(zip(columns, row, strict=True)), default=str))
        return
    total = _print_live(columns, answer) if live else _print_tables(columns, answer)
    out.print(f"[dim]{total:,} {'row' if total == 1 else 'rows'}[/]")


def _print_tables(columns: list[str], rows: Iterator[list[Any]]) -> int:
    total = 0
    while screen := list(islice(rows, _SCREEN)):
        shown = table(*columns)
        for row in screen:
            shown.add_row(*(escape(_text(value)) for value in row))
        out.print(shown)
        total += len(screen)
    return total


def _print_live(columns: list[str], rows: Iterator[list[Any]]) -> int:
    """Print each row at once; a column grows when a wider value comes."""
    widths = [len(column) for column in columns]
    click.secho("  ".join(columns), dim=True)
    total = 0
    for total, row in enumerate(rows, start=1):  # noqa: B007 - the count outlives the loop
        texts = [_text(value) for value in row]
        widths = [max(width, len(text)) for width, text in zip(widths, texts, strict=True)]
        click.echo("  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip())
    return total


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else "" if value is None else str(value)
