"""`pipeline env`."""

from __future__ import annotations

import shlex

import click
from pydantic import SecretStr

from pipeline.settings import Location, settings_in_force


@click.command()
@click.pass_obj
def env(location: Location) -> None:
    """Print the settings in force, secrets included, for kcat, psql, curl and the ksql shell.

    Example: eval "$(pipeline env)"
    """
    for setting in settings_in_force(location):
        value = setting.value.get_secret_value() if isinstance(setting.value, SecretStr) else setting.value
        if value is not None and setting.origin != "default":
            click.echo(f"export {setting.variable}={shlex.quote(str(value))}")
    click.echo(f"export PIPELINE_STATE_DIR={shlex.quote(str(location.state_dir))}")
