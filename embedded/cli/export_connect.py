"""`python -m embedded export-connect`."""

from __future__ import annotations

from pathlib import Path

import click

from embedded.errors import InstallationError
from embedded.installation import install
from embedded.plugins import copy_for_image


@click.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def export_connect(directory: Path) -> None:
    """Write Connect's plugins and the JMX exporter into a directory, verified and compiled, for an image."""
    installed = install({"connect"})
    if installed.connect_plugins is None:
        raise InstallationError("the Connect plugins were not installed")
    copy_for_image(directory, installed.connect_plugins, installed.jmx_exporter)
    click.echo(f"wrote {directory}")
