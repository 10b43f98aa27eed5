"""`pipeline deploy`."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.erase import find_and_remove
from pipeline.cli.numbers import SECONDS
from pipeline.declared.files import Files, read_files
from pipeline.deploy.all import Waits
from pipeline.deploy.all import deploy as deploy_files
from pipeline.plan.change import KINDS, Kind
from pipeline.plan.compare import Options
from pipeline.plan.plan import Plan
from pipeline.plan.saved import load_plan
from pipeline.report.changes import print_outcomes
from pipeline.report.erasure import print_erased_again
from pipeline.settings import Location, Settings, load_settings


@click.command()
@click.argument("saved", metavar="[FILE]", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--only", type=click.Choice(KINDS), multiple=True, help="Only this kind (table: and migrations); may be repeated."
)
@click.option("--prune", is_flag=True, help="Delete what this project created and declares no longer.")
@click.option("--rebuild", is_flag=True, help="Build ksql objects anew that cannot be replaced in place.")
@click.option(
    "--timeout", default=120.0, show_default=True, type=SECONDS, help="Seconds to wait for each query and connector."
)
@click.option(
    "--wait", default=60.0, show_default=True, type=SECONDS, help="Seconds to wait for another deployment to end."
)
@click.pass_obj
def deploy(  # noqa: PLR0913 - one parameter an option
    location: Location,
    saved: Path | None,
    only: tuple[Kind, ...],
    timeout: float,
    wait: float,
    *,
    prune: bool,
    rebuild: bool,
) -> None:
    """Bring ACLs, topics, schemas, tables, ksql and connectors to what the project declares.

    Running it again changes nothing and says so. FILE is a plan of `pipeline plan --out`: exactly that is done, and
    nothing if anything has changed since.

    Example: pipeline deploy --only connector
    """
    shown = None if saved is None else load_plan(saved)
    if shown is not None and (only or prune or rebuild):
        raise click.UsageError("a saved plan holds its options: make it with --only, --prune, --rebuild")
    options = Options(only or KINDS, prune=prune, rebuild=rebuild) if shown is None else shown.options
    files = read_files(location.project_dir) if shown is None else shown.files
    waits = Waits(healthy_seconds=timeout, lock_seconds=wait)
    carry_out(files, load_settings(location), options, waits, shown)


def carry_out(files: Files, settings: Settings, options: Options, waits: Waits, shown: Plan | None = None) -> None:
    """Deploy and print what is done; what a rebuild counted anew of erased persons is removed again."""
    print_outcomes(deploy_files(files, settings, options, waits=waits, shown=shown))
    if options.rebuild and (tombstones := find_and_remove(settings, waits.healthy_seconds)):
        print_erased_again(tombstones)
