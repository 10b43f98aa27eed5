"""`pipeline dlq`."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial, wraps
from itertools import islice
from typing import Any, TextIO, get_args

import click

from pipeline.cli.moments import Moment
from pipeline.cli.numbers import COUNT, ID, RATE, SECONDS
from pipeline.clients.postgres import connect
from pipeline.dead_letters.discard import discard as discard_letters
from pipeline.dead_letters.export import export as export_letters
from pipeline.dead_letters.filters import Filters
from pipeline.dead_letters.letter import Status
from pipeline.dead_letters.look import look
from pipeline.dead_letters.repair import Repair, load_transform
from pipeline.dead_letters.replay import ReplayReport, ReplayRequest
from pipeline.dead_letters.replay import replay as replay_letters
from pipeline.dead_letters.table import count_groups, read_letters
from pipeline.interruption import stop_on_signals
from pipeline.report.console import err, out
from pipeline.report.dead_letters import letter_line, print_groups, print_letters, print_look
from pipeline.report.replay import print_replay, replay_json
from pipeline.settings import Location, load_settings

_NOTHING = "no dead letter matches"

Command = Callable[..., None]


def _filtered(
    default: tuple[Status, ...], statuses: tuple[Status, ...] = get_args(Status)
) -> Callable[[Command], Command]:
    """Give a command the options that choose letters; it receives them as ``filters``."""

    def decorate(command: Command) -> Command:
        @wraps(command)  # which hands on the options that stand below this decorator
        def with_filters(*args: Any, status: tuple[Status, ...], ids: tuple[int, ...], **options: Any) -> None:
            chosen = {name: options.pop(name) for name in ("connector", "reason", "since", "until", "user")}
            command(*args, filters=Filters(ids=ids, statuses=status or default, **chosen), **options)

        shown = ", ".join(default) or "all"
        for option in (
            click.option("--status", multiple=True, type=click.Choice(statuses), help=f"Default: {shown}; repeatable."),
            click.option("--user", help="Only letters of this user (the record's key)."),
            click.option("--until", type=Moment(), help="Only what failed first before: a date, a time, or 2h (ago)."),
            click.option("--since", type=Moment(), help="Only what failed first since: a date, a time, or 2h (ago)."),
            click.option("--reason", help="Only reasons that contain this text, such as 23514 or a constraint's name."),
            click.option("--connector", help="Only letters of this sink."),
            click.option("--id", "ids", type=ID, multiple=True, help="Only this letter; repeatable."),
        ):
            with_filters = option(with_filters)
        return with_filters

    return decorate


@click.group()
def dlq() -> None:
    """Dead letters: see them, repair them, give them back to the sink that failed, or give them up.

    A letter is pending, retrying, resolved (its row arrived), dead (five replays failed, or a newer record of its key
    exists) or discarded.
    """


@dlq.command()
@_filtered(())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a group.")
@click.pass_obj
def stats(location: Location, filters: Filters, *, as_json: bool) -> None:
    """Count letters by connector, reason and day.

    Example: pipeline dlq stats --connector user-events
    """
    with connect(load_settings(location).postgres_dsn, autocommit=True) as connection:
        groups = count_groups(connection, filters)
    if as_json:
        for group, counts in groups.items():
            click.echo(json.dumps({**group._asdict(), "day": group.day.isoformat(), **counts}))
    elif groups:
        print_groups(groups)
    else:
        out.print(_NOTHING)


@dlq.command("list")
@_filtered(())
@click.option("--limit", default=50, show_default=True, type=COUNT, help="At most so many, newest first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a letter.")
@click.pass_obj
def list_letters(location: Location, filters: Filters, limit: int, *, as_json: bool) -> None:
    """List letters, the newest first.

    Example: pipeline dlq list --reason 23514 --since 2h
    """
    with connect(load_settings(location).postgres_dsn, autocommit=True) as connection:
        letters = read_letters(connection, filters, batch=max(limit, 500), newest_first=True)
        chosen = list(islice(letters, limit + 1))
    if as_json:
        for letter in chosen[:limit]:
            click.echo(json.dumps(letter_line(letter)))
    elif chosen:
        print_letters(chosen[:limit], more=len(chosen) > limit)
    else:
        out.print(_NOTHING)


@dlq.command()
@click.argument("letter_id", metavar="ID", type=ID)
@click.pass_obj
def show(location: Location, letter_id: int) -> None:
    """Show one letter: why it failed, its fields (hex where they cannot be decoded), the row that exists already.

    Example: pipeline dlq show 17
    """
    print_look(look(load_settings(location), letter_id))


@dlq.command()
@_filtered(("pending",), ("pending", "dead", "discarded"))
@click.option("--set", "sets", multiple=True, metavar="FIELD=VALUE", help="Set a field of every record; repeatable.")
@click.option("--unset", "unsets", multiple=True, metavar="FIELD", help="Set a field to null; repeatable.")
@click.option("--transform", metavar="MODULE:FUNCTION", help="Function from a Letter to its new fields, or bytes.")
@click.option("--limit", type=COUNT, help="At most so many letters, the oldest first.")
@click.option("--rate", type=RATE, help="Letters per second (default: unthrottled).")
@click.option("--dry-run", is_flag=True, help="Only show what would be sent.")
@click.option(
    "--timeout", default=60.0, show_default=True, type=SECONDS, help="Seconds to wait for the outcome; 0 does not wait."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
@click.pass_context
def replay(  # noqa: PLR0913 - one parameter an option
    context: click.Context,
    /,
    *,
    filters: Filters,
    sets: tuple[str, ...],
    unsets: tuple[str, ...],
    transform: str | None,
    limit: int | None,
    rate: float | None,
    dry_run: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Send letters, repaired if asked for, to the one sink that failed; nothing else reads them again.

    Exit 1 if a letter stays as it was, fails again, or is still on its way after --timeout, or if it is interrupted.

    Example: pipeline dlq replay --id 17 --set currency=USD
    """
    location: Location = context.obj
    arguments = {"sets": _assignments(sets), "unsets": unsets, "transform": transform, "limit": limit, "rate": rate}
    repair = Repair(
        sets=_assignments(sets),
        unsets=unsets,
        transform=load_transform(transform, location.project_dir) if transform else None,
    )
    request = ReplayRequest(
        filters=filters,
        repair=repair,
        arguments={**filters.document(), **{name: value for name, value in arguments.items() if value}},
        limit=limit,
        rate=rate,
        dry_run=dry_run,
    )
    report = _replay(location, request, timeout)
    if as_json:
        click.echo(replay_json(report))
    elif report.selected:
        print_replay(report, dry_run=dry_run, waited=timeout > 0)
    else:
        out.print(_NOTHING)
    context.exit(1 if report.failed(waited=timeout > 0) else 0)


def _replay(location: Location, request: ReplayRequest, timeout_seconds: float) -> ReplayReport:
    with stop_on_signals() as stop, err.status("reading dead letters …") as spinner:
        return replay_letters(
            load_settings(location),
            request,
            timeout_seconds=timeout_seconds,
            progress=partial(spinner.update),
            stop=stop,
        )


def _assignments(sets: tuple[str, ...]) -> dict[str, str]:
    for assignment in sets:
        if not assignment.partition("=")[1]:
            raise click.UsageError(f"--set {assignment}: write --set field=value")
    return {name: value for name, _, value in (assignment.partition("=") for assignment in sets)}


@dlq.command()
@_filtered(("pending", "dead"), ("pending", "dead"))
@click.option("--why", required=True, help="The reason, for those who come after you.")
@click.option("--all", "everything", is_flag=True, help="Discard without any filter.")
@click.pass_obj
def discard(location: Location, filters: Filters, why: str, *, everything: bool) -> None:
    """Give letters up; they stay in the table, and `replay --status discarded` brings them back.

    Example: pipeline dlq discard --id 17 --why "a test of ours"
    """
    chosen = {name for name in filters.document() if name != "statuses"}
    if not (chosen or everything):
        raise click.UsageError("which letters? Name a filter, or --all for every letter that is pending or dead")
    if not why.strip():
        raise click.UsageError("--why is empty: say why nobody will need these letters")
    count = discard_letters(load_settings(location), filters, why, {**filters.document(), "why": why})
    out.print(f"[bold]{count:,}[/] {'letter' if count == 1 else 'letters'} discarded" if count else _NOTHING)


@dlq.command()
@_filtered(())
@click.option("--output", type=click.File("w", lazy=True), default="-", help="A file (default: standard output).")
@click.pass_obj
def export(location: Location, filters: Filters, output: TextIO) -> None:
    """Write letters as JSON, one a line: decoded fields, and every byte of key, value and headers in base64.

    Example: pipeline dlq export --connector users > letters.jsonl
    """
    count = 0
    for document in export_letters(load_settings(location), filters, filters.document()):
        output.write(json.dumps(document, ensure_ascii=False) + "\n")
        count += 1
    err.print(f"{count:,} {'letter' if count == 1 else 'letters'} exported" if count else _NOTHING)
