"""`python -m embedded supervise`."""

from __future__ import annotations

import click

from embedded import stack
from embedded.cli.speed import speed
from embedded.logs import configure_logs
from embedded.state import StateDir


@click.command(hidden=True)
@click.argument("names", nargs=-1)
@speed
@click.pass_obj
def supervise(state_dir: StateDir, names: tuple[str, ...], *, fast_boot: bool) -> None:
    """Be the supervisor; `up` starts it."""
    configure_logs()
    stack.supervise(state_dir, names, fast_boot=fast_boot)
