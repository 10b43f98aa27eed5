"""The group that holds every command."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from pipeline.cli.errors import ErrorBoundary
from pipeline.settings import load_location

# A command lives in the module of its name, which is imported when it is used: `pipeline check` needs no Kafka client.
COMMANDS = ("demo", "up", "down", "status", "env", "config", "check", "deploy", "produce", "verify", "query", "dlq")


class Commands(ErrorBoundary):
    """Finds commands by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help text."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, None if there is none of this name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: Any = getattr(import_module(f"pipeline.cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="user-analytics-pipeline")
@click.option("--project", type=click.Path(path_type=Path), help="Folder of the declarations (default: this one).")
@click.option("--state-dir", type=click.Path(path_type=Path), help="Where the embedded stack keeps data and logs.")
@click.option("--profile", help="Which servers: local (the embedded stack) or a file profiles/NAME.env.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def main(
    context: click.Context, project: Path | None, state_dir: Path | None, profile: str | None, *, debug: bool
) -> None:
    """Real-time user analytics centred on Kafka Connect: run it, deploy it, prove it.

    Exit codes: 0 good, 1 failed, 2 usage, settings or declaration, 3 drift.
    """
    del debug  # read by the error boundary
    location = load_location()
    changes = {"project_dir": project, "state_dir": state_dir, "profile": profile}
    context.obj = location.model_copy(update={name: given for name, given in changes.items() if given is not None})
