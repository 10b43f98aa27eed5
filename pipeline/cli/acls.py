"""`pipeline acls`."""

from __future__ import annotations

import click

from pipeline.clients.authorizer import Authorizer
from pipeline.declared.acls import FILE, read_acls
from pipeline.deploy.acls import deploy_acls
from pipeline.errors import DeclarationError
from pipeline.report.acls import print_acls, print_applied
from pipeline.settings import Location, load_settings


@click.group()
def acls() -> None:
    """What each part of the pipeline may do in Kafka, where the cluster authorises."""


@acls.command("list")
@click.pass_context
def list_(context: click.Context) -> None:
    """List what is declared and what is allowed; exit 3 if something declared is not allowed.

    Example: pipeline acls list
    """
    location: Location = context.obj
    declared = read_acls(location.project_dir)
    there = Authorizer(load_settings(location).kafka_config()).acls()
    print_acls(declared, there)
    context.exit(3 if set(declared) - there else 0)


@acls.command()
@click.pass_obj
def apply(location: Location) -> None:
    """Allow what acls.yaml declares. Nothing is taken away: what is allowed beyond it, `list` shows.

    Example: pipeline --profile msk acls apply
    """
    declared = read_acls(location.project_dir)
    if not declared:
        message = f"{location.project_dir / FILE}: nothing is declared there"
        raise DeclarationError(message)
    print_applied(deploy_acls(Authorizer(load_settings(location).kafka_config()), declared), len(set(declared)))
