"""Connectors, for people and for programs; secrets in their configuration are masked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.markup import escape

from pipeline.clients.connect import ConnectorDescription, SinkPosition
from pipeline.declared.connectors import REFERENCE, is_secret
from pipeline.report.console import out, table

_MASK = "********"
_NUMBERS = frozenset({"partition", "next offset", "end", "behind"})

Extents = Mapping[str, Mapping[int, tuple[int, int]]]  # topic → partition → start and end offset


def masked(config: Mapping[str, str]) -> dict[str, str]:
    """Return a configuration without its secrets; references such as ${env:NAME} are none."""
    return {
        name: _MASK if is_secret(name) and not REFERENCE.fullmatch(value) else value for name, value in config.items()
    }


def connectors_json(connectors: Sequence[ConnectorDescription]) -> str:
    """Return a list of connectors as a document."""
    return json.dumps([_document(each) for each in connectors], indent=2)


def _document(each: ConnectorDescription) -> dict[str, Any]:
    return {
        "name": each.status.name,
        "type": each.kind,
        "state": each.status.state,
        "error": each.status.error,
        "tasks": [asdict(task) for task in each.status.tasks],
        "config": masked(each.config),
    }


def print_connectors(connectors: Sequence[ConnectorDescription]) -> None:
    """Print a line for each connector."""
    if not connectors:
        out.print("no connectors deployed: `pipeline deploy`")
        return
    shown = table("connector", "type", "state", "tasks running", "class")
    for each in connectors:
        running = sum(task.state == "RUNNING" for task in each.status.tasks)
        class_name = each.config.get("connector.class", "").rpartition(".")[2]
        tasks = f"{running} of {len(each.status.tasks)}"
        shown.add_row(escape(each.status.name), each.kind, _coloured(each.status.state), tasks, class_name)
    out.print(shown)


def print_connector(each: ConnectorDescription) -> None:
    """Print state and tasks of a connector, then its configuration."""
    states = table("", "state", "worker's reason")
    states.add_row("connector", _coloured(each.status.state), escape(each.status.error or ""))
    for task in each.status.tasks:
        states.add_row(f"task {task.id}", _coloured(task.state), escape(task.error or ""))
    out.print(states)
    out.print()
    settings = table("setting", "value")
    for name, value in sorted(masked(each.config).items()):
        settings.add_row(escape(name), escape(value))
    out.print(settings)


def print_plugins(classes: Sequence[str]) -> None:
    """Print a class a line."""
    for name in classes:
        out.print(name)


def positions_json(positions: Sequence[SinkPosition], extents: Extents) -> str:
    """Return where a sink stands as a document; ``end`` and ``behind`` are null for a topic that is gone."""
    return json.dumps(
        [{**asdict(each), "end": end, "behind": behind} for each, end, behind in _measured(positions, extents)],
        indent=2,
    )


def print_positions(positions: Sequence[SinkPosition], extents: Extents) -> None:
    """Print where a sink stands in each partition."""
    if not positions:
        out.print("it has committed no position yet")
        return
    shown = table("topic", "partition", "next offset", "end", "behind", numbers=_NUMBERS)
    for each, end, behind in _measured(positions, extents):
        figures = ("gone", "-") if end is None or behind is None else (f"{end:,}", f"{behind:,}")
        shown.add_row(escape(each.topic), str(each.partition), f"{each.offset:,}", *figures)
    out.print(shown)


def _measured(positions: Sequence[SinkPosition], extents: Extents) -> list[tuple[SinkPosition, int | None, int | None]]:
    measured: list[tuple[SinkPosition, int | None, int | None]] = []
    for each in positions:
        extent = extents.get(each.topic, {}).get(each.partition)
        measured.append((each, extent and extent[1], extent and max(0, extent[1] - each.offset)))
    return measured


def _coloured(state: str) -> str:
    colour = {"RUNNING": "green", "PAUSED": "yellow"}.get(state, "red")
    return f"[{colour}]{escape(state)}[/]"
