"""The group that holds every command."""

from __future__ import annotations

import os
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from pipeline.cli.errors import ErrorBoundary
from pipeline.cli.location import location_of
from pipeline.cli.log_format import FORMATS, VARIABLE

# A command lives in the module of its name, which is imported when it is used: `pipeline check` needs no Kafka client.
COMMANDS = (
    "demo",
    "up",
    "down",
    "status",
    "env",
    "config",
    "check",
    "plan",
    "deploy",
    "rollback",
    "db",
    "produce",
    "verify",
    "query",
    "dlq",
    "connectors",
    "topics",
    "schemas",
    "queries",
    "acls",
    "erase",
    "exporter",
    "prometheus-config",
    "completion",
)


class Commands(ErrorBoundary):
    """Finds commands by name. No argument of theirs is empty: it would be a variable that a script has not set."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options of the group; a usage error where any argument is empty, or is no text."""
        if not ctx.resilient_parsing:
            for before, argument in pairwise(["", *args]):
                _check(before, argument)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help text."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, None if there is none of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: Any = getattr(import_module(f"pipeline.cli.{name}"), name)
        return command if isinstance(command, click.Command) else None


def _check(before: str, argument: str) -> None:
    name, equals, value = argument.partition("=") if argument.startswith("--") else (before, "=", argument)
    if equals and not value:
        message = f"{name if name.startswith('-') else 'an argument'} is empty: give a value, or leave it out"
        raise click.UsageError(message)
    try:
        argument.encode()
    except UnicodeEncodeError as error:
        message = f"{argument!r} is not UTF-8"
        raise click.UsageError(message) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="user-analytics-pipeline")
@click.option(
    "--project", "project_dir", type=click.Path(path_type=Path), help="Folder of the declarations (default: this one)."
)
@click.option(
    "--state-dir",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the embedded stack keeps data and logs.",
)
@click.option(
    "--profile",
    help="Which servers: local (the embedded stack) or a file profiles/NAME.env.",
    shell_complete=lambda context, _parameter, start: [
        CompletionItem(name) for name in location_of(context).profiles() if name.startswith(start)
    ],
)
@click.option(
    "--log-format",
    type=click.Choice(FORMATS),
    default="console",
    envvar=VARIABLE,
    show_default=True,
    help="How long-running commands and the servers that are ours write their log.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(context: click.Context, /, log_format: str, *, debug: bool, **directions: Path | str | None) -> None:
    """Real-time user analytics centred on Kafka Connect: run it, deploy it, prove it.

    Exit codes: 0 good, 1 failed, 2 usage, settings or declaration, 3 drift.
    """
    del debug, directions  # read by the error boundary and by location_of
    os.environ[VARIABLE] = log_format  # for configure_logs, and for the servers that we start
    context.obj = location_of(context)
