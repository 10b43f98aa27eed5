"""The group that holds every command, and the one place where errors become a line and an exit code."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import click

from embedded.errors import EmbeddedError
from embedded.state import StateDir, default_state_dir

# A command lives in the module of its name, which is imported when it is used: `status` needs none of the servers.
_COMMANDS = ("down", "env", "export-connect", "status", "up")
_HIDDEN = ("supervise",)


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in (*_COMMANDS, *_HIDDEN):
            return None
        name = cmd_name.replace("-", "_")
        command: Any = getattr(import_module(f"embedded.cli.{name}"), name)
        return command if isinstance(command, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # click's own
            raise
        except EmbeddedError as error:
            _end(ctx, str(error))
        except OSError as error:
            _end(ctx, f"{error.strerror}: {error.filename}" if error.filename else str(error))


def _end(ctx: click.Context, error: str) -> NoReturn:
    click.secho("error:", fg="red", bold=True, err=True, nl=False)
    click.echo(f" {error}", err=True)
    ctx.exit(1)


@click.group(cls=_Commands)
@click.option("--state-dir", type=click.Path(path_type=Path), help="Data and logs (default: PIPELINE_STATE_DIR).")
@click.pass_context
def main(context: click.Context, state_dir: Path | None) -> None:
    """Kafka, Schema Registry, Connect, PostgreSQL and the ksql engine as local processes, without Docker."""
    context.obj = StateDir((state_dir or default_state_dir()).absolute())
