"""`pipeline down`."""

from __future__ import annotations

import click

from pipeline.clients.embedded import EmbeddedStack
from pipeline.settings import Location


@click.command()
@click.option("--delete-data", is_flag=True, help="Remove topics, schemas, tables and logs as well.")
@click.pass_obj
def down(location: Location, *, delete_data: bool) -> None:
    """Stop what `pipeline up` started; data stays unless told otherwise."""
    EmbeddedStack(location.state_dir).down(delete_data=delete_data)
