"""`pipeline status`."""

from __future__ import annotations

import click

from pipeline.observe.status import look
from pipeline.report.status import print_status, status_json
from pipeline.settings import Location


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def status(context: click.Context, *, as_json: bool) -> None:
    """Show servers, connectors, tasks and lag; exit 1 if anything is unhealthy."""
    location: Location = context.obj
    seen = look(location)
    if as_json:
        click.echo(status_json(seen))
    else:
        print_status(seen)
    context.exit(0 if seen.ok else 1)
