"""`python -m embedded env`."""

from __future__ import annotations

import json
import shlex

import click

from embedded import stack
from embedded.state import StateDir


@click.command()
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
