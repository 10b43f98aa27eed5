"""`pipeline query`."""

from __future__ import annotations

import re

import click
from sqlglot.errors import SqlglotError

from pipeline.clients.ksqldb import KsqlDb
from pipeline.declared.ksql_dialect import split_statements
from pipeline.report.entities import described
from pipeline.report.rows import print_rows
from pipeline.settings import Location, load_settings

_LOOK = re.compile(r"\s*(SHOW|LIST|DESCRIBE|DESC)\b", re.IGNORECASE)
_PRINT = re.compile(r"\s*PRINT\b", re.IGNORECASE)
_PUSH = re.compile(r"\bEMIT\s+CHANGES\b", re.IGNORECASE)


@click.command()
@click.argument("sql")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a row.")
@click.option("--from-beginning", is_flag=True, help="A push query starts with the oldest record, not the next one.")
@click.pass_obj
def query(location: Location, sql: str, *, as_json: bool, from_beginning: bool) -> None:
    """Send a pull or push query to ksqlDB, e.g. "SELECT * FROM user_stats WHERE user_id = 'u1';".

    A push query (EMIT CHANGES) shows rows as they come, until its LIMIT or Ctrl-C. PRINT, SHOW, LIST and DESCRIBE
    work too; what changes something belongs into ksql/ and `pipeline deploy`, or into the ksql shell.

    Example: pipeline query "SELECT * FROM user_stats WHERE user_id = 'user-000245';"
    """
    if _is_several(sql):
        raise click.UsageError(
            "one statement at a time; scripts belong into ksql/ and `pipeline deploy`, or into the ksql shell"
        )
    ksqldb = KsqlDb(load_settings(location).ksqldb)
    properties = {"auto.offset.reset": "earliest"} if from_beginning else {}
    statement = sql if sql.rstrip().endswith(";") else f"{sql};"
    if _PRINT.match(statement):
        for line in ksqldb.print_topic(statement, properties):
            click.echo(line)
    elif _LOOK.match(statement):
        print_rows(described(ksqldb.execute(statement)), live=False, as_json=as_json)
    else:
        live = bool(_PUSH.search(statement))
        print_rows(ksqldb.query(statement, properties), live=live, as_json=as_json)


def _is_several(sql: str) -> bool:
    try:
        return len(split_statements(sql)) > 1
    except SqlglotError as error:
        raise click.UsageError(f"not a statement: {error}") from error
