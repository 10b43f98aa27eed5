"""`pipeline acls`."""

from __future__ import annotations

import click

from pipeline.clients.authorizer import Authorizer
from pipeline.declared.acls import Part, read_parts
from pipeline.declared.files import read_files
from pipeline.deploy.acls import apply_acls
from pipeline.deploy.all import Outcome
from pipeline.errors import DriftError
from pipeline.plan.acls import missing_acls
from pipeline.report.acls import print_acls, print_no_acls
from pipeline.report.changes import print_outcomes
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
    parts, authorizer = _of(context.obj)
    allowed = authorizer.acls()
    if allowed is None:
        print_no_acls()
        return
    missing = {acl for part in parts for acl in missing_acls(part, allowed)}
    print_acls({acl for part in parts for acl in part.acls()}, allowed, missing)
    context.exit(DriftError.exit_code if missing else 0)


@acls.command()
@click.pass_obj
def apply(location: Location) -> None:
    """Allow what acls.yaml declares, as `deploy` does, with nothing but Kafka: for whoever may add ACLs.

    Nothing is taken away: what is allowed beyond the declaration, `list` shows.

    Example: pipeline --profile msk acls apply
    """
    parts, authorizer = _of(location)
    allowed = authorizer.acls()
    if allowed is None:
        print_no_acls()
        return
    print_outcomes(Outcome(change, "done") for change in apply_acls(authorizer, parts, allowed))


def _of(location: Location) -> tuple[list[Part], Authorizer]:
    return read_parts(read_files(location.project_dir)), Authorizer(load_settings(location).kafka_config())
