"""`pipeline up`."""

from __future__ import annotations

import click

from pipeline.clients.embedded import EmbeddedStack
from pipeline.settings import Location


@click.command()
@click.pass_obj
def up(location: Location) -> None:
    """Start the embedded servers; what runs already stays."""
    EmbeddedStack(location.state_dir).up()
