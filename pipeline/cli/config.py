"""`pipeline config`."""

from __future__ import annotations

import click

from pipeline.report.settings import print_settings, settings_json
from pipeline.settings import Location, settings_in_force


@click.group()
def config() -> None:
    """Settings: what is in force, and where it stands."""


@config.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def show(location: Location, *, as_json: bool) -> None:
    """Show every setting in force and where it stands; secrets are masked.

    Example: pipeline --profile docker config show
    """
    in_force = settings_in_force(location)
    if as_json:
        click.echo(settings_json(location, in_force))
    else:
        print_settings(location, in_force)
