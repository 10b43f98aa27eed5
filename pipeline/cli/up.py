"""`pipeline up`."""

from __future__ import annotations

import click

from pipeline.cli.servers import container_servers
from pipeline.clients.embedded import EmbeddedStack, Server
from pipeline.report.console import err
from pipeline.settings import Location


@click.command()
@click.pass_obj
def up(location: Location) -> None:
    """Start the embedded servers; what runs already stays.

    With a profile of the container stack: start its containers, which `make docker-up` has created.

    Example: pipeline up
    """
    containers = container_servers(location)
    if containers is None:
        EmbeddedStack(location.state_dir).up()
    else:
        containers.up(_show)


def _show(server: Server) -> None:
    err.print(f"  {server.name:17} {server.state}  {server.address}")
