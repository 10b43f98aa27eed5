"""`pipeline down`."""

from __future__ import annotations

import click

from pipeline.cli.servers import container_servers
from pipeline.clients.embedded import EmbeddedStack
from pipeline.settings import Location


@click.command()
@click.option("--delete-data", is_flag=True, help="Remove topics, schemas, tables and logs as well.")
@click.pass_obj
def down(location: Location, *, delete_data: bool) -> None:
    """Stop what `pipeline up` started; data stays unless told otherwise.

    Example: pipeline down --delete-data
    """
    containers = container_servers(location)
    if containers is None:
        EmbeddedStack(location.state_dir).down(delete_data=delete_data)
        return
    if delete_data:
        message = "containers keep their data in volumes, which compose made and removes: make docker-clean"
        raise click.UsageError(message)
    containers.down()
