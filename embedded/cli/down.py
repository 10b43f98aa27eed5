"""`python -m embedded down`."""

from __future__ import annotations

import click

from embedded import stack
from embedded.cli.console import console
from embedded.state import StateDir


@click.command()
@click.option("--delete-data", is_flag=True, help="Remove data and logs as well.")
@click.pass_obj
def down(state_dir: StateDir, *, delete_data: bool) -> None:
    """Stop what `up` started."""
    ran = stack.stop(state_dir, delete_data=delete_data)
    console.print("stopped" if ran else "nothing was running", end="")
    console.print(", data deleted" if delete_data else "")
