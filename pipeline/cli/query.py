"""`pipeline query`."""

from __future__ import annotations

import click

from pipeline.clients.ksqldb import KsqlDb
from pipeline.report.rows import print_rows
from pipeline.settings import Location, load_settings


@click.command()
@click.argument("sql")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a row.")
@click.option("--from-beginning", is_flag=True, help="A push query starts with the oldest record, not the next one.")
@click.pass_obj
def query(location: Location, sql: str, *, as_json: bool, from_beginning: bool) -> None:
    """Send a pull or push query to ksqlDB, e.g. "SELECT * FROM user_stats WHERE user_id = 'u1';".

    A push query (EMIT CHANGES) goes on until its LIMIT, or until Ctrl-C.
    """
    settings = load_settings(location)
    properties = {"auto.offset.reset": "earliest"} if from_beginning else {}
    statement = sql if sql.rstrip().endswith(";") else f"{sql};"
    print_rows(KsqlDb(settings.ksqldb).query(statement, properties), as_json=as_json)
