"""`pipeline verify`."""

from __future__ import annotations

import click

from pipeline.report.console import err
from pipeline.report.verification import print_verification, verification_json
from pipeline.settings import Location, load_settings
from pipeline.verify.verify import verify as verify_all


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait until every event is through.")
@click.pass_context
def verify(context: click.Context, timeout: float, *, as_json: bool) -> None:
    """Prove that nothing is lost and nothing is there twice; exit 1 on any difference.

    Every record of user-events must be a row, an absorbed duplicate or a dead letter, and every row of user_stats
    must equal what SQL computes from user_events.
    """
    location: Location = context.obj
    settings = load_settings(location)
    with err.status("reading user-events …") as spinner:
        outcome = verify_all(
            settings, timeout_seconds=timeout, progress=lambda waiting: spinner.update(waiting or "comparing …")
        )
    if as_json:
        click.echo(verification_json(outcome))
    else:
        print_verification(outcome)
    context.exit(0 if outcome.ok else 1)
