"""ksqlDB's persistent queries, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from rich.markup import escape

from pipeline.clients.ksqldb import RunningQuery
from pipeline.report.console import out, table


def queries_json(queries: Sequence[RunningQuery]) -> str:
    """Return the queries as a document."""
    return json.dumps([asdict(each) for each in queries], indent=2)


def print_queries(queries: Sequence[RunningQuery]) -> None:
    """Print a line for each query."""
    if not queries:
        out.print("no queries: `pipeline deploy`")
        return
    shown = table("query", "state", "writes")
    for each in queries:
        colour = {"RUNNING": "green", "PAUSED": "yellow"}.get(each.state, "red")
        shown.add_row(escape(each.id), f"[{colour}]{escape(each.state)}[/]", escape(", ".join(each.sinks)))
    out.print(shown)
