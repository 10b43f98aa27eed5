"""`pipeline schemas`."""

from __future__ import annotations

import json

import click

from pipeline.cli.completion import subject_names
from pipeline.cli.numbers import VERSION
from pipeline.clients.registry import SchemaRegistry
from pipeline.errors import PipelineError
from pipeline.report.schemas import SubjectLine, print_subjects, subjects_json
from pipeline.settings import Location, load_settings


@click.group()
def schemas() -> None:
    """Schemas as the registry has them."""


@schemas.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(location: Location, *, as_json: bool) -> None:
    """List the subjects with their newest version, its id and their compatibility.

    Example: pipeline schemas list
    """
    registry = SchemaRegistry(load_settings(location).schema_registry)
    subjects = [
        SubjectLine(subject, latest.version, latest.id, registry.compatibility(subject))
        for subject in registry.subjects()
        if (latest := registry.version(subject)) is not None
    ]
    if as_json:
        click.echo(subjects_json(subjects))
    else:
        print_subjects(subjects)


@schemas.command()
@click.argument("subject", shell_complete=subject_names)
@click.option("--version", type=VERSION, help="This version, not the newest.")
@click.pass_obj
def show(location: Location, subject: str, version: int | None) -> None:
    """Print a schema as JSON.

    Example: pipeline schemas show user-events-value
    """
    registry = SchemaRegistry(load_settings(location).schema_registry)
    found = registry.version(subject, str(version) if version else "latest")
    if found is None:
        versions = registry.versions(subject)
        hint = f"its versions are {', '.join(map(str, versions))}" if versions else "`pipeline schemas list` shows all"
        message = f"there is no subject {subject}{f' with version {version}' if version else ''}; {hint}"
        raise PipelineError(message)
    click.echo(json.dumps(json.loads(found.text), indent=2))
