"""Topics, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping

from rich.markup import escape

from pipeline.report.console import out, table

_NUMBERS = frozenset({"partitions", "partition", "offsets", "start", "end"})

Extents = Mapping[int, tuple[int, int]]  # partition → start and end offset


def topics_json(topics: Mapping[str, Extents], overrides: Mapping[str, Mapping[str, str]]) -> str:
    """Return topics with partitions, offsets and settings as a document."""
    return json.dumps(
        [
            {
                "name": name,
                "partitions": [
                    {"partition": number, "start": start, "end": end} for number, (start, end) in extents.items()
                ],
                "config": overrides.get(name, {}),
            }
            for name, extents in sorted(topics.items())
        ],
        indent=2,
    )


def print_topics(topics: Mapping[str, Extents], overrides: Mapping[str, Mapping[str, str]]) -> None:
    """Print a line for each topic; the offsets between start and end are its records and markers of transactions."""
    shown = table("topic", "partitions", "offsets", "settings", numbers=_NUMBERS)
    for name, extents in sorted(topics.items()):
        offsets = sum(end - start for start, end in extents.values())
        settings = ", ".join(f"{key}={value}" for key, value in sorted(overrides.get(name, {}).items()))
        shown.add_row(escape(name), str(len(extents)), f"{offsets:,}", escape(settings))
    out.print(shown)


def print_topic(extents: Extents, overrides: Mapping[str, str]) -> None:
    """Print a topic's partitions, then its settings."""
    shown = table("partition", "start", "end", "offsets", numbers=_NUMBERS)
    for number, (start, end) in extents.items():
        shown.add_row(str(number), f"{start:,}", f"{end:,}", f"{end - start:,}")
    out.print(shown)
    out.print()
    settings = table("setting", "value")
    for key, value in sorted(overrides.items()):
        settings.add_row(escape(key), escape(value))
    out.print(settings if overrides else "no settings of its own")
