"""Each section's table as a bar chart in SVG."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.figure import Figure

from benchmarks.results import DIRECTORY, Section, shown

BAR_INCHES = 0.34
COLOURS = ("#3b6ea8", "#c46a2b", "#5b8c5a")


def draw(name: str, sections: Sequence[Section]) -> None:
    """Write ``name``-``key``.svg for every section that has a chart."""
    with rc_context(
        {
            "svg.fonttype": "none",  # text stays text
            "svg.hashsalt": "benchmarks",  # the same figures give the same file
            "font.size": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    ):
        for section in sections:
            if section.chart is not None:
                figure = _bars(section)
                figure.savefig(DIRECTORY / f"{name}-{section.key}.svg", metadata={"Date": None})


def _bars(section: Section) -> Figure:
    assert section.chart is not None
    columns = section.chart.columns
    figure = Figure(figsize=(9, 1.2 + BAR_INCHES * len(section.rows) * len(columns)), layout="constrained")
    axes = figure.add_subplot()
    height = 0.8 / len(columns)
    for number, column in enumerate(columns):
        position = section.columns.index(column)
        values = [float(row[position] or 0) for row in section.rows]
        places = [row + number * height for row in range(len(section.rows))]
        bars = axes.barh(places, values, height, label=column, color=COLOURS[number])
        axes.bar_label(bars, [shown(value) for value in values], padding=3)
    middle = 0.8 / 2 - height / 2
    axes.set_yticks([row + middle for row in range(len(section.rows))], [str(row[0]) for row in section.rows])
    axes.invert_yaxis()
    axes.set_xlabel(section.chart.unit)
    axes.set_title(section.title, loc="left")
    axes.margins(x=0.12)
    if len(columns) > 1:
        axes.legend(loc="best", frameon=False)
    return figure
