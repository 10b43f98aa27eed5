"""DROP, ALTER, TERMINATE, PAUSE, RESUME and custom types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from embedded.ksql.errors import StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_statement
from embedded.ksql.planning.catalog import Catalog, DeclaredQuery
from embedded.ksql.statements.changes import Change, NothingToDo
from embedded.ksql.statements.texts import failing_as
from embedded.ksql.types import Column, Schema

_CONTROLLED = {"TERMINATE": "terminated", "PAUSE": "paused", "RESUME": "resumed"}


def drop_source(statement: ast.DropSource, text: str, catalog: Catalog) -> Change:
    """Return what a DROP changes: the source, and the query that makes it. Raises StatementError."""
    kind, name = statement.kind, statement.name
    # ksqlDB repeats the statement as it was sent, but for DELETE TOPIC: a replay must not delete again.
    canonical = format_statement(statement) if statement.delete_topic else text
    command_id = f"{kind.lower()}/{name}/drop"
    with failing_as(text):
        source = catalog.source(name)
        if source is None:
            if not statement.if_exists:
                raise StatementError(f"{kind.capitalize()} {name} does not exist.")
            return Change(command_id, canonical, f"Source `{name}` does not exist.")
        if source.kind != kind:
            raise StatementError(
                f"Incompatible data source type is {source.kind.lower()}, but statement was DROP {kind.lower()}"
            )
        if statement.delete_topic and source.read_only:
            raise StatementError(f"Cannot delete topic for read-only source: {name}")
        makers = _checked_for_use(name, catalog)
    return Change(
        command_id,
        canonical,
        f"Source `{name}` (topic: {source.topic}) was dropped.",
        dropped=name,
        deleted_topic=source.topic if statement.delete_topic else None,
        ended=tuple(query.query_id for query in makers),
    )


def control_query(statement: ast.ControlQuery, text: str, catalog: Catalog) -> Change:
    """Return what TERMINATE, PAUSE or RESUME changes. Raises StatementError for a query that is not there."""
    with failing_as(text):
        if statement.query is None:
            chosen, label = list(catalog.queries.values()), "ALL"
        else:
            found = catalog.query(statement.query)
            if found is None:
                raise StatementError(f"Unknown queryId: {statement.query}")
            chosen, label = [found], found.query_id
    ids = tuple(query.query_id for query in chosen)
    action = statement.action
    change = Change(f"{action.lower()}/{label}/execute", text, f"Query {_CONTROLLED[action]}.")
    match action:
        case "TERMINATE":
            return replace(change, ended=ids)
        case "PAUSE":
            return replace(change, paused=ids)
        case "RESUME":
            return replace(change, resumed=ids)


def register_type(statement: ast.RegisterType, text: str, catalog: Catalog) -> Change | NothingToDo:
    """Return what CREATE TYPE changes. Raises StatementError for a name that is taken."""
    name = statement.name
    with failing_as(text):
        if name in catalog.types:
            message = f"Cannot register custom type '{name}' since it is already registered with type: "
            if statement.if_not_exists:
                return NothingToDo(f"{message}{catalog.types[name]}.")
            raise StatementError(f"{message}{catalog.types[name]}")
    message = f"Registered custom type with name '{name}' and SQL type {statement.type}"
    return Change(f"type/{name}/create", text, message, added_types={name: statement.type})


def drop_type(statement: ast.DropType, text: str, catalog: Catalog) -> Change:
    """Return what DROP TYPE changes. Raises StatementError for a type that is not there."""
    name = statement.name
    with failing_as(text):
        if name not in catalog.types:
            if not statement.if_exists:
                raise StatementError(f"Type {name} does not exist.")
            return Change(f"type/{name}/drop", text, f"Type '{name}' does not exist")
    return Change(f"type/{name}/drop", text, f"Dropped type '{name}'", dropped_type=name)


def alter_source(statement: ast.AlterSource, text: str, catalog: Catalog) -> Change:
    """Return what ALTER … ADD COLUMN changes. Raises StatementError for a source that a query makes."""
    kind, name = statement.kind, statement.name
    with failing_as(text):
        source = catalog.source(name)
        if source is not None and source.read_only:
            raise StatementError(
                f"Cannot alter {kind.lower()} '{name}': ALTER operations are not supported on source {kind.lower()}s."
            )
        if source is None:
            raise StatementError(f"Source {name} does not exist.")
        if source.kind != kind:
            raise StatementError(f"Incompatible data source type is {source.kind}, but statement was ALTER {kind}")
        if source.made_from:
            raise StatementError("ALTER command is not supported for CREATE ... AS statements.")
        taken = {column.name for column in (*source.schema.key, *source.schema.value)}
        for column in statement.columns:
            if column.name in taken:
                raise StatementError(
                    f"Cannot add column `{column.name}` to schema. A column with the same name already exists."
                )
            taken.add(column.name)
    added = tuple(Column(column.name, column.type) for column in statement.columns)
    altered = replace(source, schema=Schema(source.schema.key, (*source.schema.value, *added)))
    return Change(f"{kind.lower()}/`{name}`/alter", text, f"{kind.capitalize()} altered", declared=altered)


def _checked_for_use(name: str, catalog: Catalog) -> list[DeclaredQuery]:
    """Return the queries that end with the source. Raises StatementError if something else needs it."""
    made = sorted(source.name for source in catalog.sources.values() if name in source.made_from)
    if made:
        raise StatementError(
            f"Cannot drop {name}.\nThe following streams and/or tables read from this source: [{', '.join(made)}].\n"
            f"You need to drop them before dropping {name}."
        )
    reading = _ids(catalog.reading(name))
    writing = catalog.writing(name)
    inserting = [query for query in writing if query.text.lstrip()[:6].upper() == "INSERT"]
    if reading or inserting:
        raise StatementError(
            f"Cannot drop {name}.\nThe following queries read from this source: [{reading}].\n"
            f"The following queries write into this source: [{_ids(inserting)}].\n"
            f"You need to terminate them before dropping {name}."
        )
    return writing


def _ids(queries: Sequence[DeclaredQuery]) -> str:
    return ", ".join(sorted(query.query_id for query in queries))
