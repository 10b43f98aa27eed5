"""`pipeline rollback`."""

from __future__ import annotations

import click

from pipeline.cli.deploy import carry_out
from pipeline.cli.numbers import ID, SECONDS
from pipeline.deploy.all import Waits
from pipeline.deploy.rollback import choose, files_of, read_deployments
from pipeline.plan.compare import Options
from pipeline.report.console import out
from pipeline.report.deployments import print_deployments
from pipeline.settings import Location, load_settings


@click.command()
@click.option("--to", "wanted", type=ID, help="Go back to this deployment.")
@click.option("--list", "listing", is_flag=True, help="Only list the deployments.")
@click.option("--prune", is_flag=True, help="Delete what was created since.")
@click.option("--rebuild", is_flag=True, help="Build ksql objects anew that cannot be replaced in place.")
@click.option(
    "--timeout", default=120.0, show_default=True, type=SECONDS, help="Seconds to wait for each query and connector."
)
@click.pass_obj
def rollback(
    location: Location, wanted: int | None, timeout: float, *, listing: bool, prune: bool, rebuild: bool
) -> None:
    """Deploy again what the previous deployment deployed; its files are kept in PostgreSQL.

    Migrations stay, and so do newer versions of schemas: old records need them.

    Example: pipeline rollback --list
    """
    settings = load_settings(location)
    history = read_deployments(settings.postgres_dsn)
    if listing:
        print_deployments(history)
        return
    chosen = choose(history, wanted)
    out.print(f"back to deployment {chosen.id} of {chosen.began_at.astimezone():%Y-%m-%d %H:%M:%S} by {chosen.os_user}")
    files = files_of(settings.postgres_dsn, chosen)
    options = Options(prune=prune, rebuild=rebuild)
    carry_out(files, settings, options, Waits(healthy_seconds=timeout))
