"""`pipeline erase`."""

from __future__ import annotations

from functools import partial

import click

from pipeline.cli.numbers import SECONDS
from pipeline.clients.positions import Position
from pipeline.dead_letters.actions import actor
from pipeline.erase.again import erase_again
from pipeline.erase.erase import erase as erase_person
from pipeline.erase.erase import look_for
from pipeline.report.console import err
from pipeline.report.erasure import (
    erased_again_json,
    erasure_json,
    print_erased_again,
    print_erasure,
    print_holdings,
)
from pipeline.settings import Location, Settings, load_settings


@click.command()
@click.argument("user_id", metavar="[USER]", required=False)
@click.option("--again", is_flag=True, help="Whoever was erased and has statistics again; takes no USER.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=SECONDS,
    help="Seconds to wait until what is on its way is written.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON; needs --yes.")
@click.pass_obj
def erase(location: Location, user_id: str | None, timeout: float, *, again: bool, yes: bool, as_json: bool) -> None:
    """Remove one person everywhere: rows, dead letters, and by tombstones the compacted topics.

    Says what it removed, and what it cannot and until when. Only a salted hash of the id is kept, so that `pipeline
    verify` stays exact. Stop what sends events of this person first.

    A new ksqlDB counts anew whom it should not know any more: --again finds those by their hashes, and removes their
    statistics. `pipeline deploy --rebuild` does so by itself.

    Example: pipeline erase user-000245
    """
    if again == (user_id is not None):
        raise click.UsageError("name a USER, or say --again: one of the two")
    if as_json and not (yes or again):
        raise click.UsageError("--json does not ask: say --yes as well")
    settings = load_settings(location)
    if user_id is None:
        tombstones = find_and_remove(settings, timeout)
        if as_json:
            click.echo(erased_again_json(tombstones))
        else:
            print_erased_again(tombstones)
    else:
        _remove(settings, user_id, timeout, yes=yes, as_json=as_json)


def find_and_remove(settings: Settings, timeout_seconds: float) -> list[Position]:
    """Remove the statistics of erased persons that are back, and return their tombstones."""
    with err.status("looking for statistics of erased persons …") as spinner:
        return erase_again(settings, timeout_seconds=timeout_seconds, progress=partial(spinner.update))


def _remove(settings: Settings, user_id: str, timeout_seconds: float, *, yes: bool, as_json: bool) -> None:
    holdings = look_for(settings, user_id)
    if not yes:
        print_holdings(user_id, holdings)
        click.confirm("Remove all of it for good?", abort=True)
    with err.status("reading …") as spinner:
        outcome = erase_person(
            settings, user_id, erased_by=actor(), timeout_seconds=timeout_seconds, progress=partial(spinner.update)
        )
    if as_json:
        click.echo(erasure_json(outcome))
    else:
        print_erasure(outcome)
