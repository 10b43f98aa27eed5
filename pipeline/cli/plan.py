"""`pipeline plan`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipeline.declared.files import read_files
from pipeline.errors import DriftError
from pipeline.plan.change import KINDS, Kind
from pipeline.plan.compare import Options
from pipeline.plan.plan import make_plan
from pipeline.plan.saved import plan_json, save_plan
from pipeline.plan.servers import servers_of
from pipeline.report.changes import print_plan
from pipeline.settings import Location, load_settings


@click.command()
@click.option(
    "--only", type=click.Choice(KINDS), multiple=True, help="Only this kind (table: and migrations); may be repeated."
)
@click.option("--prune", is_flag=True, help="Delete what this project created and declares no longer.")
@click.option("--rebuild", is_flag=True, help="Build ksql objects anew that cannot be replaced in place.")
@click.option("--fail-on-changes", is_flag=True, help="Exit 3 if what is deployed is not what is declared.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Save the plan for `pipeline deploy FILE`."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def plan(  # noqa: PLR0913 - one parameter an option
    context: click.Context,
    only: tuple[Kind, ...],
    out: Path | None,
    *,
    prune: bool,
    rebuild: bool,
    fail_on_changes: bool,
    as_json: bool,
) -> None:
    """Show what `pipeline deploy` would change, and what the servers say to it; nothing is changed.

    Exit 1 if it could not be deployed, 3 with --fail-on-changes if anything would change.

    Example: pipeline plan --out change.json
    """
    location: Location = context.obj
    options = Options(only or KINDS, prune=prune, rebuild=rebuild)
    made = make_plan(read_files(location.project_dir), servers_of(load_settings(location)), options)
    if out is not None:
        save_plan(made, out)
    if as_json:
        click.echo(json.dumps(plan_json(made)))
    else:
        print_plan(made)
    if fail_on_changes and made.has_changes:
        context.exit(DriftError.exit_code)
    context.exit(1 if made.refusals else 0)
