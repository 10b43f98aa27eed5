"""What the scripts in sql/ create: statements, and tables with their columns, as PostgreSQL's dialect in sqlglot."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from pipeline.declared.sql import Migration, SqlFile
from pipeline.errors import DeclarationError

# It warns of each statement that it keeps as text alone, such as CREATE FUNCTION; those are read by their words here.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_PRIMARY_KEY = (exp.PrimaryKeyColumnConstraint,)
_DEFAULTED = (exp.DefaultColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column; ``type`` is PostgreSQL's name in lower case, ``filled`` whether it has a default or makes its value."""

    name: str
    type: str
    not_null: bool
    filled: bool
    line: int


@dataclass(frozen=True, slots=True)
class Table:
    """A table, its columns by name and its primary key, empty where there is none."""

    name: str
    path: Path
    line: int
    columns: dict[str, TableColumn]
    primary_key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SqlStatement:
    """One statement: its first words in upper case, its tree where it is understood, and where it begins."""

    words: tuple[str, ...]
    tree: exp.Expr | None
    line: int


def split_statements(script: SqlFile | Migration) -> list[list[Token]]:
    """Return each statement's tokens. Raises DeclarationError where a quote is not closed."""
    try:
        return _split(sqlglot.Dialect.get_or_raise("postgres").tokenize(script.text))
    except SqlglotError as error:
        raise DeclarationError(f"not PostgreSQL: {error}", path=script.path) from error


def read_statements(script: SqlFile | Migration) -> list[SqlStatement]:
    """Return a script's statements. Raises DeclarationError where it cannot be split or read."""
    try:
        return [_statement(part, script.text) for part in split_statements(script)]
    except ParseError as error:
        first = error.errors[0]
        reason = f"not PostgreSQL: {first['description']} near {first['highlight']!r}"
        raise DeclarationError(reason, path=script.path, line=int(first["line"] or 1)) from error
    except SqlglotError as error:
        raise DeclarationError(f"not PostgreSQL: {error}", path=script.path) from error


def read_tables(script: SqlFile, statements: list[SqlStatement]) -> list[Table]:
    """Return the tables that a script's statements create."""
    return [
        _table(script.path, statement.tree)
        for statement in statements
        if isinstance(statement.tree, exp.Create)
        and statement.tree.args["kind"] == "TABLE"
        and isinstance(statement.tree.this, exp.Schema)
    ]


def _split(tokens: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    depth = 0  # within BEGIN ATOMIC … END, the body of a function
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON and not depth:
            parts.append([])
            continue
        opens = (token.token_type is TokenType.BEGIN and parts[-1]) or (token.token_type is TokenType.CASE and depth)
        depth += bool(opens) - (token.token_type is TokenType.END and depth > 0)
        parts[-1].append(token)
    return [part for part in parts if part]


def _statement(tokens: list[Token], text: str) -> SqlStatement:
    line = tokens[0].line
    # Lines before it are kept, empty, so that what sqlglot says of positions holds in the file.
    source = "\n" * (line - 1) + text[tokens[0].start : tokens[-1].end + 1]
    tree = sqlglot.parse_one(source, read="postgres")
    known = None if isinstance(tree, exp.Command) else tree
    return SqlStatement(tuple(str(token.text).upper() for token in tokens), known, int(line))


def _table(path: Path, create: exp.Create) -> Table:
    columns = {column.name: _column(column) for column in create.this.expressions if isinstance(column, exp.ColumnDef)}
    key = [column.name for column in create.this.expressions if _has(column, _PRIMARY_KEY)]
    for constraint in create.this.find_all(exp.PrimaryKey):
        key.extend(part.name for part in constraint.expressions)
    name = create.this.this
    return Table(name.name, path, int(name.this.meta.get("line", 1)), columns, tuple(key))


def _column(column: exp.ColumnDef) -> TableColumn:
    nullable_false = any(
        isinstance(one.kind, exp.NotNullColumnConstraint) and not one.kind.args.get("allow_null")
        for one in column.constraints
    )
    return TableColumn(
        name=column.name,
        type=column.kind.sql("postgres").lower() if column.kind else "",
        not_null=nullable_false or _has(column, _PRIMARY_KEY),
        filled=_has(column, _DEFAULTED),
        line=int(column.this.meta.get("line", 1)),
    )


def _has(column: exp.Expr, kinds: tuple[type[exp.Expr], ...]) -> bool:
    return isinstance(column, exp.ColumnDef) and any(isinstance(one.kind, kinds) for one in column.constraints)
