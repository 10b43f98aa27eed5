"""What was measured, as Markdown and JSON in benchmarks/results/."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.rounds import Series

DIRECTORY = Path(__file__).parent / "results"

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Chart:
    """A bar chart of up to three columns of a section's table."""

    columns: tuple[str, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the report. ``key`` names its plot; the first column names the row."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: list[list[Cell]]
    note: str = ""
    chart: Chart | None = None
    raw: Mapping[str, Sequence[float]] = field(default_factory=dict)
    taken: str = ""
    """When, where, and under which load."""


def section_of_rounds(
    key: str, title: str, series: Sequence[Series], *, baseline: str, unit: str, note: str
) -> Section:
    """Return medians, spread and ratios of interleaved rounds."""
    return Section(
        key=key,
        title=title,
        columns=("", f"median {unit}", "lowest", "highest", f"of {baseline}", "lowest ratio", "highest ratio"),
        rows=[
            [each.name, each.median, min(each.values), max(each.values), each.ratio, min(each.ratios), max(each.ratios)]
            for each in series
        ],
        note=note,
        chart=Chart((f"median {unit}",), unit),
        raw={each.name: each.values for each in series},
    )


def read_results(name: str) -> list[Section]:
    """Return the sections of an earlier run, none where there was none."""
    path = DIRECTORY / f"{name}.json"
    if not path.exists():
        return []
    document = json.loads(path.read_text(encoding="utf-8"))
    return [_section(section) for section in document["sections"]]


def _section(document: dict[str, Any]) -> Section:
    chart = document["chart"]
    drawn = Chart(tuple(chart["columns"]), chart["unit"]) if chart else None
    return Section(**{**document, "columns": tuple(document["columns"]), "chart": drawn})


def merged(before: Sequence[Section], new: Sequence[Section]) -> list[Section]:
    """Return the new sections in the places of those they replace, the others behind."""
    replacing = {section.key: section for section in new}
    kept = [replacing.pop(section.key, section) for section in before]
    return [*kept, *replacing.values()]


def write_results(name: str, setup: Mapping[str, str], sections: Sequence[Section]) -> Path:
    """Write ``name``.md and ``name``.json, and return the path of the former."""
    DIRECTORY.mkdir(exist_ok=True)
    document = {"setup": dict(setup), "sections": [asdict(section) for section in sections]}
    (DIRECTORY / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    path = DIRECTORY / f"{name}.md"
    path.write_text(markdown(name, setup, sections), encoding="utf-8")
    return path


def markdown(name: str, setup: Mapping[str, str], sections: Sequence[Section]) -> str:
    """Return the whole report."""
    lines = [
        "# Measured by `make bench`" + ("" if name == "latest" else f" ({name})"),
        "",
        "Ratios are of a round of one run, medians of all rounds; other figures hold for their machine and its load.",
        "",
        *(f"- {what}: {value}" for what, value in setup.items()),
    ]
    for section in sections:
        lines += ["", f"## {section.title}", "", *_table(section.columns, section.rows)]
        notes = [note for note in (section.note, section.taken) if note]
        lines += ["", " ".join(notes)] if notes else []
        lines += ["", f"![{section.title}]({name}-{section.key}.svg)"] if section.chart else []
    return "\n".join(lines) + "\n"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> list[str]:
    alignment = ["---", *("---:" for _ in columns[1:])]
    body = [[shown(cell) for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (list(columns), alignment, *body)]


def shown(cell: Cell) -> str:
    """Return a number with as many digits as it has meaning: three, and thousands in full."""
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    return f"{cell:,.0f}" if abs(cell) >= 100 or cell == int(cell) else f"{cell:.3g}"  # noqa: PLR2004 - three digits
