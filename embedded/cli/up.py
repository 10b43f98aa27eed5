"""`python -m embedded up`."""

from __future__ import annotations

import signal
import sys

import click

from embedded import stack
from embedded.cli.console import console
from embedded.cli.speed import speed
from embedded.state import SERVER_NAMES, ServerState, StateDir


@click.command()
@click.option("--only", default="", help="Names of servers, separated by commas; those they need come along.")
@speed
@click.pass_obj
def up(state_dir: StateDir, only: str, *, fast_boot: bool) -> None:
    """Start the servers and wait until each of them serves."""
    names = [name.strip() for name in only.split(",") if name.strip()]
    if unknown := set(names) - set(SERVER_NAMES):
        message = f"no such server: {', '.join(sorted(unknown))}; there are {', '.join(SERVER_NAMES)}"
        raise click.UsageError(message)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    stack.start(state_dir, names, fast_boot=fast_boot, show=_show)


def _show(server: ServerState) -> None:
    if server.state == "running":
        console.print(f"  {server.name:9} ready in {server.ready_seconds or 0:4.1f} s  {server.address}")
    else:
        console.print(f"  {server.name:9} {server.state}")
    sys.stderr.flush()
