"""`pipeline db`."""

from __future__ import annotations

import click
import psycopg

from pipeline.clients.postgres import connect
from pipeline.declared.files import read_files
from pipeline.deploy.all import deploy
from pipeline.deploy.reset import reset_database
from pipeline.errors import DriftError
from pipeline.plan.change import Kind
from pipeline.plan.compare import Options
from pipeline.plan.plan import make_plan
from pipeline.plan.servers import servers_of
from pipeline.report.changes import print_outcomes, print_plan
from pipeline.report.console import out
from pipeline.report.rows import print_rows
from pipeline.settings import Location, load_settings

KINDS: tuple[Kind, ...] = ("migration", "table")


@click.group()
def db() -> None:
    """PostgreSQL's tables: make them, compare them, look into them, begin anew."""


@db.command()
@click.pass_obj
def init(location: Location) -> None:
    """Run the migrations and scripts of sql/ that have not run; again: nothing to do.

    Example: pipeline db init
    """
    print_outcomes(deploy(read_files(location.project_dir), load_settings(location), Options(KINDS)))


@db.command()
@click.pass_context
def check(context: click.Context) -> None:
    """Compare the tables with sql/; exit 3 if they differ.

    Example: pipeline db check
    """
    location: Location = context.obj
    made = make_plan(read_files(location.project_dir), servers_of(load_settings(location)), Options(KINDS))
    print_plan(made)
    context.exit(DriftError.exit_code if made.has_changes else 0)


@db.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def reset(location: Location, *, yes: bool) -> None:
    """Drop all tables with their rows, and make them anew; asks first.

    Sinks go on where they are: what they have written before is not written again.

    Example: pipeline db reset
    """
    settings = load_settings(location)
    files = read_files(location.project_dir)
    with connect(settings.postgres_dsn, autocommit=True) as connection:
        where = f"{connection.info.host}:{connection.info.port}/{connection.info.dbname}"
        if not yes:
            click.confirm(f"Drop every table of schema public in {where}, with all rows?", abort=True)
        reset_database(connection)
    out.print(f"{where} is empty")
    print_outcomes(deploy(files, settings, Options(KINDS)))


@db.command()
@click.argument("sql")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a row.")
@click.pass_obj
def query(location: Location, sql: str, *, as_json: bool) -> None:
    """Run one SQL query, in a transaction that cannot write, e.g. "SELECT count(*) FROM user_events".

    Example: pipeline db query "SELECT count(*) FROM user_events"
    """
    settings = load_settings(location)
    with connect(settings.postgres_dsn) as connection:
        connection.read_only = True
        try:
            # What is prepared is one statement, so that none can end this transaction and go on.
            cursor = connection.execute(sql.encode(), prepare=True)
        except psycopg.errors.SyntaxError as error:
            if "multiple commands" in str(error):
                raise click.UsageError("one query at a time: PostgreSQL finds several in this") from error
            raise
        names = [column.name for column in cursor.description or ()]
        rows = [names, *(list(row) for row in cursor)] if names else [["done"]]
        print_rows(iter(rows), live=False, as_json=as_json)
