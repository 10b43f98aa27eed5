"""`pipeline check`."""

from __future__ import annotations

import click

from pipeline.check.against import files_at
from pipeline.check.all import check as check_files
from pipeline.declared.files import read_files
from pipeline.errors import DeclarationError
from pipeline.report.findings import findings_json, print_findings
from pipeline.settings import Location


@click.command()
@click.option("--against", metavar="REF", help="Schemas must be able to read what those of this git ref wrote.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(context: click.Context, against: str | None, *, as_json: bool) -> None:
    """Check every declaration, and that they agree, without any server; exit 2 on findings.

    Example: pipeline check --against main
    """
    location: Location = context.obj
    files = read_files(location.project_dir)
    earlier = None if against is None else files_at(location.project_dir, against)
    findings = check_files(files, earlier)
    if as_json:
        click.echo(findings_json(findings))
    else:
        print_findings(findings, len(files.texts) + len(files.unreadable))
    context.exit(DeclarationError.exit_code if findings else 0)
