"""The terminal: results to standard output, progress to standard error."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.table import Table

_WIDE = 200
"""Columns of a table that goes to a file or a pipe, where nothing says how wide it may be."""


def _width() -> int | None:
    return None if sys.stdout.isatty() or "COLUMNS" in os.environ else _WIDE


out = Console(highlight=False, soft_wrap=True, width=_width())
err = Console(stderr=True, highlight=False, soft_wrap=True)


def table(*columns: str, title: str | None = None, numbers: frozenset[str] = frozenset()) -> Table:
    """Return an empty table in our one style; columns in ``numbers`` are right-aligned."""
    made = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="dim", pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    return made
