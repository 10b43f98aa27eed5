"""`pipeline verify`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime

import click
from rich.markup import escape

from pipeline.canary import Canary, send_canary
from pipeline.cli.moments import Moment
from pipeline.cli.numbers import SECONDS
from pipeline.dead_letters.actions import actor
from pipeline.errors import RejectedError
from pipeline.report.console import err
from pipeline.report.verification import print_verification, verification_json
from pipeline.settings import Location, Settings, load_settings
from pipeline.verify.record import record_check
from pipeline.verify.verification import Range
from pipeline.verify.verify import VerifyRequest
from pipeline.verify.verify import verify as verify_all


@click.command()
@click.option("--since", type=Moment(), help="Only records sent since: a date, a time, or 2h (ago).")
@click.option("--until", type=Moment(), help="Only records sent before: a date, a time, or 2h (ago).")
@click.option("--full", is_flag=True, help="Read again what was read and found right before.")
@click.option("--canary", is_flag=True, help="First send one event through everything, time it, and erase it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--timeout",
    default=60.0,
    show_default=True,
    type=SECONDS,
    help="Seconds to wait for what was sent before it began.",
)
@click.pass_context
def verify(  # noqa: PLR0913 - one parameter an option
    context: click.Context,
    /,
    *,
    since: datetime | None,
    until: datetime | None,
    full: bool,
    canary: bool,
    as_json: bool,
    timeout: float,
) -> None:
    """Prove that nothing is lost and nothing is there twice; exit 1 on any difference.

    Every record of user-events must be a row, an absorbed duplicate or a dead letter; every dead letter must be in
    dead_letter_queue, every replayed one a row or a new failure; every row must say what its record says; every row
    of user_stats must equal what SQL computes from the records; and every row of users must be the last record of its
    key. That holds for what was there when it begins: events may keep coming. What was read and found right is
    remembered: --full reads it again. Statistics are compared of all time, with --since and --until those of the users
    concerned.

    Example: pipeline verify --timeout 120
    """
    if since and until and since >= until:
        raise click.UsageError("--since must be before --until")
    location: Location = context.obj
    settings = load_settings(location)
    request = VerifyRequest(timeout_seconds=timeout, span=Range(since, until), full=full)
    with err.status("reading user-events …") as spinner:
        sent = _canary(settings, timeout, spinner.update) if canary else None
        begun = time.monotonic()
        outcome = verify_all(settings, request, progress=spinner.update)
    _record(settings, "verify", ok=outcome.ok, seconds={"total": time.monotonic() - begun}, counts=outcome.counts())
    if as_json:
        click.echo(verification_json(outcome, sent))
    else:
        print_verification(outcome, sent)
    context.exit(0 if outcome.ok and (sent is None or sent.ok) else 1)


def _canary(settings: Settings, timeout_seconds: float, progress: Callable[[str], None]) -> Canary:
    sent = send_canary(settings, sent_by=actor(), timeout_seconds=timeout_seconds, progress=progress)
    stages = {"row": sent.row_seconds, "stats": sent.stats_seconds}
    seconds = {stage: taken for stage, taken in stages.items() if taken is not None}
    counts = {"lost": len(stages) - len(seconds), "not_erased": int(sent.not_erased is not None)}
    _record(settings, "canary", ok=sent.arrived, seconds=seconds, counts=counts)
    return sent


def _record(
    settings: Settings, kind: str, *, ok: bool, seconds: Mapping[str, float], counts: Mapping[str, int]
) -> None:
    """Write the outcome down for the exporter; a database that refuses that does not change the outcome."""
    rounded = {stage: round(taken, 3) for stage, taken in seconds.items()}
    try:
        record_check(settings.postgres_dsn, kind, ok=ok, seconds=rounded, differences=counts)
    except RejectedError as error:
        err.print(f"[yellow]the outcome is not recorded:[/] {escape(str(error))}; `pipeline deploy` creates its table")
