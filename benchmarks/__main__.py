"""`make bench` and `make bench-quick`: what the design costs or gains against the obvious alternative."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import click

from benchmarks.capacity import sections_of_capacity
from benchmarks.delivery import measure_delivery
from benchmarks.engine import measure_engine_alone
from benchmarks.footprint import measure_boot, measure_disk, measure_idle
from benchmarks.keys import measure_keys
from benchmarks.latency import measure_latency
from benchmarks.machine import describe_setup, load, taken
from benchmarks.plots import draw
from benchmarks.producer import measure_producer
from benchmarks.results import Section, merged, read_results, shown, write_results
from benchmarks.scale import measure_scale
from benchmarks.sizes import LONG, QUICK, Sizes
from benchmarks.stack import Running, put, running_stack
from benchmarks.tools import measure_tools
from benchmarks.whole import measure_whole

Measure = Callable[[Running, Sizes], list[Section]]

# In this order: those before "whole" want a Connect worker with nothing else to do.
PARTS: dict[str, Measure] = {
    "producer": lambda running, sizes: measure_producer(running.settings, sizes.producer_events),
    "delivery": lambda running, sizes: [measure_delivery(running, sizes)],
    "scale": lambda running, sizes: [measure_scale(running, sizes)],
    "whole": measure_whole,
    "idle": lambda running, _: [measure_idle(running)],
    "latency": measure_latency,
    "tools": lambda running, sizes: [measure_tools(running, sizes)],
    "disk": lambda running, _: [measure_disk(running)],
}


# The first and the last two have stacks of their own.
ALL = ("boot", *PARTS, "engine", "keys")


@click.command()
@click.option("--quick", is_flag=True, help="Few events and one round: for exactness, not for figures.")
@click.option("--only", multiple=True, type=click.Choice(ALL), help="Only this part, into the last report; repeatable.")
def main(*, quick: bool, only: tuple[str, ...]) -> None:
    """Measure on a stack of its own, and write tables, plots and JSON to benchmarks/results/."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that no server is left running
    sizes = QUICK if quick else LONG
    name = "quick" if quick else "latest"
    sections = read_results(name) if only else []
    for section, setup in _measured(sizes, only or (tuple(PARTS) if quick else ALL)):
        sections = merged(sections, [section])
        _show(section)
        path = write_results(name, setup, merged(sections, sections_of_capacity(sections)))
        draw(name, [section])
    click.echo(f"\nwritten: {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def _measured(sizes: Sizes, parts: tuple[str, ...]) -> Iterator[tuple[Section, dict[str, str]]]:
    before = load()
    boots = [replace(measure_boot(), taken=taken(before))] if "boot" in parts else []
    with running_stack(throughput=True) as running:
        setup = describe_setup(running.settings)
        for what, value in setup.items():
            click.echo(f"{what:12} {value}")
        put(running.settings, ("topic", "schema", "table"))
        yield from ((section, setup) for section in boots)
        for part, measure in PARTS.items():
            if part in parts:
                before = load()
                click.echo(f"{part} (load {before})")
                for section in measure(running, sizes):
                    yield replace(section, taken=taken(before)), setup
    if "engine" in parts:
        before = load()
        yield replace(measure_engine_alone(sizes.engine_events, sizes.engine_keys), taken=taken(before)), setup
    if "keys" in parts:
        before = load()
        yield replace(measure_keys(sizes), taken=taken(before)), setup


def _show(section: Section) -> None:
    cells = [list(section.columns), *([shown(cell) for cell in row] for row in section.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(section.columns))]
    click.echo(f"\n{section.title}")
    for row in cells:
        first, *others = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join([row[0].ljust(len(first)), *others]))


if __name__ == "__main__":
    main()
