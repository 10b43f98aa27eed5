"""The group that holds every command."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.cli.config import config
from pipeline.cli.demo import demo
from pipeline.cli.deploy import deploy
from pipeline.cli.dlq import dlq
from pipeline.cli.down import down
from pipeline.cli.env import env
from pipeline.cli.errors import ErrorBoundary
from pipeline.cli.produce import produce
from pipeline.cli.query import query
from pipeline.cli.status import status
from pipeline.cli.up import up
from pipeline.cli.verify import verify
from pipeline.settings import load_location


@click.group(cls=ErrorBoundary, context_settings={"help_option_names": ["-h", "--help"]})
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


for command in (demo, up, down, status, env, config, deploy, produce, verify, query, dlq):
    main.add_command(command)
