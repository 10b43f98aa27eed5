"""The launcher's command line."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape

from embedded import stack
from embedded.errors import EmbeddedError, InstallationError
from embedded.installation import install
from embedded.logs import configure_logs
from embedded.plugins import copy_for_image
from embedded.processes import find, resident_bytes
from embedded.state import SERVER_NAMES, ServerState, StateDir, default_state_dir

_console = Console(stderr=True, highlight=False, soft_wrap=True)


class _ErrorBoundary(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EmbeddedError as error:
            _console.print(f"[bold red]error:[/] {escape(str(error))}")
            ctx.exit(1)


@click.group(cls=_ErrorBoundary)
@click.option("--state-dir", type=click.Path(path_type=Path), help="Data and logs (default: PIPELINE_STATE_DIR).")
@click.pass_context
def main(context: click.Context, state_dir: Path | None) -> None:
    """Kafka, Schema Registry, Connect, PostgreSQL and the ksql engine as local processes, without Docker."""
    context.obj = StateDir((state_dir or default_state_dir()).absolute())


_speed = click.option(
    "--fast-boot/--throughput",
    default=True,
    show_default=True,
    help="Java's quick compiler only, or the one that takes longer and makes faster code.",
)


@main.command()
@click.option("--only", default="", help="Names of servers, separated by commas; those they need come along.")
@_speed
@click.pass_obj
def up(state_dir: StateDir, only: str, *, fast_boot: bool) -> None:
    """Start the servers and wait until each of them serves."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    if unknown := set(names) - set(SERVER_NAMES):
        message = f"no such server: {', '.join(sorted(unknown))}; there are {', '.join(SERVER_NAMES)}"
        raise click.UsageError(message)
    stack.start(state_dir, names, fast_boot=fast_boot, show=_show)


@main.command()
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def export_connect(directory: Path) -> None:
    """Write Connect's plugins and the JMX exporter into a directory, verified and compiled, for an image."""
    installed = install({"connect"})
    if installed.connect_plugins is None:
        raise InstallationError("the Connect plugins were not installed")
    copy_for_image(directory, installed.connect_plugins, installed.jmx_exporter)
    click.echo(f"wrote {directory}")


@main.command(hidden=True)
@click.argument("names", nargs=-1)
@_speed
@click.pass_obj
def supervise(state_dir: StateDir, names: tuple[str, ...], *, fast_boot: bool) -> None:
    """Be the supervisor; `up` starts it."""
    configure_logs()
    stack.supervise(state_dir, names, fast_boot=fast_boot)


@main.command()
@click.option("--delete-data", is_flag=True, help="Remove data and logs as well.")
@click.pass_obj
def down(state_dir: StateDir, *, delete_data: bool) -> None:
    """Stop what `up` started."""
    ran = stack.stop(state_dir, delete_data=delete_data)
    _console.print("stopped" if ran else "nothing was running", end="")
    _console.print(", data deleted" if delete_data else "")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(state_dir: StateDir, *, as_json: bool) -> None:
    """Show the servers."""
    servers = [_document(server) for server in state_dir.read().servers.values()]
    if as_json:
        click.echo(json.dumps({"servers": servers}))
        return
    for server in servers:
        click.echo("  ".join(str(value) for value in server.values()))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def env(state_dir: StateDir, *, as_json: bool) -> None:
    """Print the addresses as `export` lines."""
    addresses = stack.environment(state_dir)
    if as_json:
        click.echo(json.dumps(addresses))
        return
    for name, value in addresses.items():
        click.echo(f"export {name}={shlex.quote(value)}")


def _document(server: ServerState) -> dict[str, Any]:
    alive = find(server.process) is not None
    known = asdict(server)
    return {
        "name": server.name,
        "pid": server.process.pid if alive and server.process else None,
        "address": server.address,
        "metrics_url": server.metrics_url,
        "state": "dead" if server.state == "running" and not alive else known["state"],
        "rss_bytes": resident_bytes(server.process),
        "restarts": server.restarts,
        "reason": server.reason,
    }


def _show(server: ServerState) -> None:
    if server.state == "running":
        _console.print(f"  {server.name:9} ready in {server.ready_seconds or 0:4.1f} s  {server.address}")
    else:
        _console.print(f"  {server.name:9} {server.state}")
    sys.stderr.flush()
