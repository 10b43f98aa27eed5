"""`pipeline erase`."""

from __future__ import annotations

from functools import partial

import click

from pipeline.dead_letters.actions import actor
from pipeline.erase.erase import erase as erase_person
from pipeline.erase.erase import look_for
from pipeline.report.console import err
from pipeline.report.erasure import erasure_json, print_erasure, print_holdings
from pipeline.settings import Location, load_settings


@click.command()
@click.argument("user_id", metavar="USER")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait until what is on its way is written.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON; needs --yes.")
@click.pass_obj
def erase(location: Location, user_id: str, timeout: float, *, yes: bool, as_json: bool) -> None:
    """Remove one person everywhere: rows, dead letters, and by tombstones the compacted topics.

    Says what it removed, and what it cannot and until when. Only a salted hash of the id is kept, so that `pipeline
    verify` stays exact. Stop what sends events of this person first.

    Example: pipeline erase user-000245

    Example: pipeline erase user-000245
    """
    if as_json and not yes:
        raise click.UsageError("--json does not ask: say --yes as well")
    settings = load_settings(location)
    holdings = look_for(settings, user_id)
    if not yes:
        print_holdings(user_id, holdings)
        click.confirm("Remove all of it for good?", abort=True)
    with err.status("reading …") as spinner:
        outcome = erase_person(
            settings, user_id, erased_by=actor(), timeout_seconds=timeout, progress=partial(spinner.update)
        )
    if as_json:
        click.echo(erasure_json(outcome))
    else:
        print_erasure(outcome)
