"""`pipeline produce`."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import click
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from pipeline.cli.addresses import HostPort
from pipeline.cli.numbers import COUNT, RATE, SHARE, USERS
from pipeline.errors import PipelineError
from pipeline.interruption import stop_on_signals
from pipeline.report.console import err, out
from pipeline.settings import Location, load_settings
from producer.errors import InvalidRequestError, ProducerError
from producer.run import ProduceReport, ProduceRequest
from producer.run import produce as run

_SPAN = re.compile(r"(\d+)([dhms])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


class Span(click.ParamType[timedelta]):
    """A span of time such as 90d, 12h, 30m or 45s."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the span; a usage error where the text is none."""
        found = _SPAN.fullmatch(str(value))
        if not found:
            self.fail(f"{value!r} is no span of time; write 90d, 12h, 30m or 45s", param, ctx)
        try:
            return timedelta(**{_UNITS[found[2]]: int(found[1])})
        except (OverflowError, ValueError):  # ValueError: more digits than Python reads
            self.fail(f"{value!r} is too long a span", param, ctx)


@click.command()
@click.option("--events", type=COUNT, help="How many distinct events (default: 1,000).")
@click.option("--continuous", is_flag=True, help="Go on until Ctrl-C.")
@click.option("--rate", type=RATE, help="Events per second (default: unthrottled).")
@click.option("--users", default=500, show_default=True, type=USERS, help="How many users.")
@click.option("--user", help="Only this user.")
@click.option("--mode", default="random", show_default=True, type=click.Choice(["random", "session", "anomaly"]))
@click.option("--seed", type=int, help="The same seed gives the same events.")
@click.option("--duplicates", default=0.0, type=SHARE, help="Share of events that are sent again.")
@click.option("--since", type=Span(), help="Back-date events over this span, e.g. 90d.")
@click.option("--metrics", "metrics_address", type=HostPort(), help="Serve Prometheus metrics at HOST:PORT meanwhile.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one line of JSON.")
@click.pass_context
def produce(context: click.Context, /, *, continuous: bool, as_json: bool, **options: Any) -> None:
    """Write events to Kafka and count what the brokers acknowledged; exit 1 if any failed.

    Example: pipeline produce --events 20000 --duplicates 0.1 --mode session
    """
    if continuous and options["events"] is not None:
        message = "--events and --continuous exclude each other"
        raise click.UsageError(message)
    location: Location = context.obj
    settings = load_settings(location)
    events = options.pop("events") or 1000
    request = ProduceRequest(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        schema_registry=settings.schema_registry,
        kafka_config=settings.kafka_config(),
        events=None if continuous else events,
        with_users=True,
        **options,
    )
    report = produce_with_progress(request)
    if as_json:
        click.echo(json.dumps(report_document(report)))
    else:
        print_report(report)
    context.exit(1 if report.failed else 0)


def produce_with_progress(request: ProduceRequest) -> ProduceReport:
    """Produce, showing how far it is; SIGINT and SIGTERM end it cleanly. Raises PipelineError."""
    columns = (TextColumn("producing"), BarColumn(), MofNCompleteColumn(), TextColumn("events"))
    with (
        stop_on_signals() as stop,
        Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress,
    ):
        task = progress.add_task("", total=request.events)
        try:
            return run(request, progress=lambda done: progress.update(task, completed=done), stop=stop)
        except InvalidRequestError as error:
            raise click.UsageError(str(error)) from error
        except ProducerError as error:
            raise PipelineError(str(error)) from error


def report_document(report: ProduceReport) -> dict[str, Any]:
    """Return the contract's counts and why records failed."""
    return {
        "acknowledged": report.acknowledged,
        "failed": report.failed,
        "duplicates": report.duplicates,
        "seconds": round(report.seconds, 3),
        "failures": report.failures,
    }


def print_report(report: ProduceReport) -> None:
    """Print what was acknowledged and what failed."""
    rate = report.acknowledged / report.seconds if report.seconds else 0
    out.print(
        f"[bold]{report.acknowledged:,}[/] records acknowledged in {report.seconds:.1f} s ({rate:,.0f}/s), "
        f"{report.duplicates:,} of them sent again"
    )
    for reason, count in report.failures.items():
        out.print(f"[red]{count:,} failed[/]: {escape(reason)}")
