"""What ksqlDB says around a statement: command ids, status messages, canonical texts, errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal, TypeAlias, TypeVar

from embedded.ksql.errors import KsqlError
from embedded.ksql.language import ast

CleanupPolicy: TypeAlias = Literal["delete", "compact", "compact,delete"]
Statement = TypeVar("Statement", ast.CreateSource, ast.CreateAsSelect)


@contextmanager
def failing_as(text: str) -> Iterator[None]:
    """Give errors from within the statement's text, unless they have one."""
    try:
        yield
    except KsqlError as error:
        error.statement_text = error.statement_text or text
        raise


def with_properties(statement: Statement, properties: Mapping[str, str | int]) -> Statement:
    """Return the statement with properties added or replaced in its WITH clause."""
    return replace(statement, properties=_merged(statement.properties, properties))


def source_id(kind: ast.SourceKind, name: str) -> str:
    """Return the id of the command that makes or fills a source."""
    return f"{kind.lower()}/`{name}`/create"


def created(kind: ast.SourceKind) -> str:
    """Return the status message for a source over a topic."""
    return f"{kind.capitalize()} created"


def created_query(query_id: str) -> str:
    """Return the status message for a new query."""
    return f"Created query with ID {query_id}"


def already_exists(kind: ast.SourceKind, name: str, existing: ast.SourceKind) -> str:
    """Return the message for a name that is taken."""
    return f"Cannot add {kind.lower()} '{name}': A {existing.lower()} with the same name already exists"


def _merged(present: ast.Properties, added: Mapping[str, str | int]) -> ast.Properties:
    kept = tuple(pair for pair in present if pair[0] not in added)
    return (*kept, *((name, _literal(value)) for name, value in added.items()))


def _literal(value: str | int) -> ast.StringLiteral | ast.IntegerLiteral | ast.LongLiteral:
    if isinstance(value, str):
        return ast.StringLiteral(value)
    return ast.IntegerLiteral(value)
