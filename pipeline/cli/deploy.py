"""`pipeline deploy`."""

from __future__ import annotations

import click

from pipeline.declared.project import read_project
from pipeline.deploy import all as deployment
from pipeline.deploy.change import KINDS, Kind
from pipeline.report.changes import print_changes
from pipeline.settings import Location, load_settings


@click.command()
@click.option("--only", type=click.Choice(KINDS), multiple=True, help="Only this kind; may be repeated.")
@click.option("--timeout", default=120.0, show_default=True, help="Seconds to wait for each query and connector.")
@click.pass_obj
def deploy(location: Location, only: tuple[Kind, ...], timeout: float) -> None:
    """Bring topics, schemas, tables, ksql and connectors to what the project declares.

    Running it again changes nothing and says so.
    """
    project = read_project(location.project_dir)
    settings = load_settings(location)
    print_changes(deployment.deploy(project, settings, kinds=only or KINDS, timeout_seconds=timeout))
