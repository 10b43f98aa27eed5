"""`pipeline status`."""

from __future__ import annotations

import time

import click
from rich.live import Live

from pipeline.cli.numbers import INTERVAL
from pipeline.observe.status import Status, look
from pipeline.report.console import out
from pipeline.report.status import render_status, status_json
from pipeline.settings import Location


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--watch", is_flag=True, help="Look again and again, until Ctrl-C.")
@click.option("--interval", default=2.0, show_default=True, type=INTERVAL, help="Seconds between two looks.")
@click.pass_context
def status(context: click.Context, interval: float, *, as_json: bool, watch: bool) -> None:
    """Show servers, connectors, lag, ksqlDB queries, dead letters and the last verification on one screen.

    Exit 1 if anything is unhealthy: a server does not answer, a connector, task or query does not run, or the last
    verification found differences.

    Example: pipeline status --json | jq .problems
    """
    if watch and as_json:
        message = "--watch and --json exclude each other"
        raise click.UsageError(message)
    location: Location = context.obj
    seen = _watch(location, interval) if watch else look(location)
    if as_json:
        click.echo(status_json(seen))
    elif not watch:
        out.print(render_status(seen))
    context.exit(0 if seen.ok else 1)


def _watch(location: Location, interval: float) -> Status:
    """Show look after look until Ctrl-C, in a terminal each in the place of the last; return the last."""
    seen = look(location)
    with Live(console=out, screen=out.is_terminal, auto_refresh=False) as live:
        try:
            while True:
                if out.is_terminal:
                    live.update(render_status(seen), refresh=True)
                else:
                    out.print(render_status(seen))
                time.sleep(interval)
                seen = look(location)
        except KeyboardInterrupt:
            return seen
