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


def print_rows(answer: Iterator[list[Any]], *, as_json: bool) -> None:
    """Print column names and rows: as a table, or as one JSON object a row."""
    columns = next(answer, [])
    if as_json:
        for row in answer:
            click.echo(json.dumps(dict(zip(columns, row, strict=True))))
        return
    total = 0
    while rows := list(islice(answer, _SCREEN)):
        shown = table(*columns)
        for row in rows:
            shown.add_row(*(escape(_text(value)) for value in row))
        out.print(shown)
        total += len(rows)
    out.print(f"[dim]{total:,} {'row' if total == 1 else 'rows'}[/]")


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict | list) else "" if value is None else str(value)
