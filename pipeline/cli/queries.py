"""`pipeline queries`."""

from __future__ import annotations

import click

from pipeline.cli.completion import query_ids
from pipeline.clients.ksqldb import KsqlDb, RunningQuery
from pipeline.errors import PipelineError
from pipeline.report.console import out
from pipeline.report.queries import print_queries, queries_json
from pipeline.settings import Location, load_settings

_ID = click.argument("query_id", metavar="ID", shell_complete=query_ids)


@click.group()
def queries() -> None:
    """KsqlDB's persistent queries: look at them, pause and resume them."""


@queries.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(location: Location, *, as_json: bool) -> None:
    """List the queries with their state and what they write.

    Example: pipeline queries list
    """
    found = _ksqldb(location).queries()
    if as_json:
        click.echo(queries_json(found))
    else:
        print_queries(found)


@queries.command()
@_ID
@click.pass_obj
def show(location: Location, query_id: str) -> None:
    """Print the statement of a query.

    Example: pipeline queries show CTAS_USER_STATS_5
    """
    ksqldb = _ksqldb(location)
    click.echo(ksqldb.query_text(_find(ksqldb, query_id).id))


@queries.command()
@_ID
@click.pass_obj
def pause(location: Location, query_id: str) -> None:
    """Pause a query: it keeps its place and its state.

    Example: pipeline queries pause CTAS_USER_STATS_5
    """
    ksqldb = _ksqldb(location)
    ksqldb.set_running(_find(ksqldb, query_id).id, running=False)
    out.print(f"paused: {query_id}")


@queries.command()
@_ID
@click.pass_obj
def resume(location: Location, query_id: str) -> None:
    """Let a paused query go on.

    Example: pipeline queries resume CTAS_USER_STATS_5
    """
    ksqldb = _ksqldb(location)
    ksqldb.set_running(_find(ksqldb, query_id).id, running=True)
    out.print(f"running: {query_id}")


def _ksqldb(location: Location) -> KsqlDb:
    return KsqlDb(load_settings(location).ksqldb)


def _find(ksqldb: KsqlDb, query_id: str) -> RunningQuery:
    there = {query.id: query for query in ksqldb.queries()}
    if query_id not in there:
        message = f"there is no query {query_id}; there are: {', '.join(there) or 'none'}"
        raise PipelineError(message)
    return there[query_id]
