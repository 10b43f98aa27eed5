"""`pipeline verify`."""

from __future__ import annotations

import time
from datetime import datetime

import click
from rich.markup import escape

from pipeline.cli.moments import Moment
from pipeline.errors import RejectedError
from pipeline.report.console import err
from pipeline.report.verification import print_verification, verification_json
from pipeline.settings import Location, Settings, load_settings
from pipeline.verify.record import record_check
from pipeline.verify.verification import Range, Verification
from pipeline.verify.verify import VerifyRequest
from pipeline.verify.verify import verify as verify_all


@click.command()
@click.option("--since", type=Moment(), help="Only records sent since: a date, a time, or 2h (ago).")
@click.option("--until", type=Moment(), help="Only records sent before: a date, a time, or 2h (ago).")
@click.option("--full", is_flag=True, help="Read again what was read and found right before.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait until every event is through.")
@click.pass_context
def verify(
    context: click.Context,
    /,
    *,
    since: datetime | None,
    until: datetime | None,
    full: bool,
    as_json: bool,
    timeout: float,
) -> None:
    """Prove that nothing is lost and nothing is there twice; exit 1 on any difference.

    Every record of user-events must be a row, an absorbed duplicate or a dead letter; every dead letter must be in
    dead_letter_queue, every replayed one a row or a new failure; every row must say what its record says; and every
    row of user_stats must equal what SQL computes from the records. What was read and found right is remembered:
    --full reads it again.

    Example: pipeline verify --timeout 120
    """
    location: Location = context.obj
    settings = load_settings(location)
    if since and until and since >= until:
        raise click.UsageError("--since must be before --until")
    request = VerifyRequest(timeout_seconds=timeout, span=Range(since, until), full=full)
    begun = time.monotonic()
    with err.status("reading user-events …") as spinner:
        outcome = verify_all(settings, request, progress=lambda waiting: spinner.update(waiting or "comparing …"))
    _record(settings, outcome, time.monotonic() - begun)
    if as_json:
        click.echo(verification_json(outcome))
    else:
        print_verification(outcome)
    context.exit(0 if outcome.ok else 1)


def _record(settings: Settings, outcome: Verification, seconds: float) -> None:
    """Write the outcome down for the exporter; a database that refuses that does not change the outcome."""
    try:
        record_check(
            settings.postgres_dsn,
            "verify",
            ok=outcome.ok,
            seconds={"total": round(seconds, 3)},
            differences=outcome.counts(),
        )
    except RejectedError as error:
        err.print(f"[yellow]the outcome is not recorded:[/] {escape(str(error))}; `pipeline deploy` creates its table")
