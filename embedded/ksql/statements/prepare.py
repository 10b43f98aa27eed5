"""One parsed statement and the catalog: what there is to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from embedded.ksql.errors import StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.named_types import resolve_types
from embedded.ksql.language.parser import ParsedStatement
from embedded.ksql.planning.catalog import Catalog
from embedded.ksql.statements.changes import Change, Context, NothingToDo, World
from embedded.ksql.statements.create_as import create_as, insert_into
from embedded.ksql.statements.create_source import create_source
from embedded.ksql.statements.others import alter_source, control_query, drop_source, drop_type, register_type
from embedded.ksql.statements.texts import failing_as

Changing: TypeAlias = (
    ast.CreateSource
    | ast.CreateAsSelect
    | ast.InsertSelect
    | ast.DropSource
    | ast.ControlQuery
    | ast.RegisterType
    | ast.DropType
    | ast.AlterSource
)


def is_change(statement: ast.Statement) -> bool:
    """Whether the statement changes something that survives a restart: it goes into the command topic."""
    return isinstance(statement, Changing)


def prepare(
    parsed: ParsedStatement,
    catalog: Catalog,
    world: World,
    properties: Mapping[str, str],
    query_number: int,
    query_id: str | None = None,
) -> Change | NothingToDo:
    """Return what a statement changes; nothing is changed yet.

    ``properties`` are the stream properties its query runs with, ``query_number`` the number that a new query gets;
    ``query_id`` is its whole id where it is known: a statement that is replayed. Raises KsqlError, with the text that
    ksqlDB repeats, if the statement is invalid.
    """
    text = parsed.text
    with failing_as(text):
        statement = resolve_types(parsed.statement, catalog.types)

    match statement:
        case ast.CreateSource() | ast.CreateAsSelect() | ast.InsertSelect():
            context = Context(catalog, world, properties, query_id or f"{query_prefix(statement)}_{query_number}")
            return _prepare_source(statement, text, context)
        case ast.DropSource() | ast.AlterSource() | ast.RegisterType() | ast.DropType() | ast.ControlQuery():
            return _prepare_other(statement, text, catalog)
    raise StatementError(f"{type(statement).__name__} changes nothing.", statement_text=text)


def query_prefix(statement: ast.CreateAsSelect | ast.InsertSelect | ast.CreateSource) -> str:
    """Return what the id of the statement's query begins with."""
    match statement:
        case ast.InsertSelect():
            return "INSERTQUERY"
        case ast.CreateSource(kind, name):
            return f"CS{kind[0]}_{name}"
        case ast.CreateAsSelect(kind, name):
            return f"C{kind[0]}AS_{name}"


def _prepare_source(
    statement: ast.CreateSource | ast.CreateAsSelect | ast.InsertSelect, text: str, context: Context
) -> Change | NothingToDo:
    match statement:
        case ast.CreateSource():
            return create_source(statement, text, context)
        case ast.CreateAsSelect():
            return create_as(statement, text, context)
        case ast.InsertSelect():
            return insert_into(statement, text, context)


def _prepare_other(
    statement: ast.DropSource | ast.AlterSource | ast.RegisterType | ast.DropType | ast.ControlQuery,
    text: str,
    catalog: Catalog,
) -> Change | NothingToDo:
    match statement:
        case ast.DropSource():
            return drop_source(statement, text, catalog)
        case ast.AlterSource():
            return alter_source(statement, text, catalog)
        case ast.RegisterType():
            return register_type(statement, text, catalog)
        case ast.DropType():
            return drop_type(statement, text, catalog)
        case ast.ControlQuery():
            return control_query(statement, text, catalog)
