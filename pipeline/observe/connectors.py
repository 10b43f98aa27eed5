"""Connectors by name: what one is and what it does."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.clients.connect import Connect, ConnectorDescription
from pipeline.errors import PipelineError


def find(connect: Connect, name: str) -> ConnectorDescription:
    """Return a connector. Raises PipelineError naming those that there are."""
    return choose(connect, [name])[0]


def choose(connect: Connect, names: Collection[str]) -> list[ConnectorDescription]:
    """Return the named connectors, all of them if none is named. Raises PipelineError naming those that there are."""
    there = {each.status.name: each for each in connect.describe()}
    unknown = [name for name in names if name not in there]
    if unknown:
        message = f"there is no connector {', '.join(unknown)}; there are: {', '.join(there) or 'none'}"
        raise PipelineError(message)
    return [there[name] for name in names or there]
