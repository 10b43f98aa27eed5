"""Makes a query explicit: every column under its source's alias, every selected expression under a name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, is_dataclass, replace

from embedded.ksql.errors import StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.building import repeated
from embedded.ksql.language.expression_formatter import format_expression
from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.interface import CatalogView
from embedded.ksql.planning.source_names import SourceNames, join_column, sources_of
from embedded.ksql.planning.substitution import substitute

_NUMBERED = re.compile(r"(.*)_(\d+)", re.DOTALL)


def sanitize_query(query: ast.Query, catalog: CatalogView) -> ast.Query:
    """Return the query as ksqlDB repeats it in statement texts.

    Columns that no source has are left as they are, for the planner to refuse. Raises StatementError
    "Exception while preparing statement: …" for missing sources and ambiguous columns.
    """
    names = sources_of(query, catalog)
    _refuse_unknown_sources(query, names)
    _check_lambdas(query, {column.name for source in names.sources for column in source.columns}, frozenset())
    aliases = ColumnAliases(column.name for source in names.sources for column in source.columns)

    def qualified(expression: ast.Expression) -> ast.Expression:
        return substitute(expression, lambda part: _qualified(part, names))

    def each(expressions: tuple[ast.Expression, ...]) -> tuple[ast.Expression, ...]:
        return tuple(qualified(expression) for expression in expressions)

    joins = tuple(
        replace(join, source=_aliased(join.source), condition=qualified(join.condition)) for join in query.joins
    )
    where = qualified(query.where) if query.where is not None else None
    group_by, partition_by = each(query.group_by), each(query.partition_by)
    for clause, expressions in (("GROUP BY", group_by), ("PARTITION BY", partition_by)):
        for again in repeated(expressions):
            raise StatementError(
                f"Exception while preparing statement: Duplicate {clause} expression: {format_expression(again)}"
            )
    having = qualified(query.having) if query.having is not None else None
    select = tuple(_named(item, names, aliases) for item in query.select)
    return replace(
        query,
        select=select,
        source=_aliased(query.source),
        joins=joins,
        where=where,
        group_by=group_by,
        partition_by=partition_by,
        having=having,
    )


def _refuse_unknown_sources(query: ast.Query, names: SourceNames) -> None:
    known = {name for source in names.sources for name in (source.alias, source.source.name)}
    for part in walk(query):
        qualifier = part.qualifier if isinstance(part, (ast.ColumnReference, ast.SelectAll)) else None
        if qualifier is not None and qualifier not in known:
            raise StatementError(
                f"Failed to prepare statement: '{qualifier}' is not a valid stream/table name or alias."
            )


def _check_lambdas(tree: object, columns: set[str], variables: frozenset[str]) -> None:
    """Raise StatementError for a lambda's parameter with the name of a column or of an outer lambda's parameter."""
    if isinstance(tree, tuple):
        for item in tree:
            _check_lambdas(item, columns, variables)
    elif is_dataclass(tree):
        if isinstance(tree, ast.Lambda):
            for name in tree.parameters:
                if name in columns:
                    raise StatementError(
                        f"Exception while preparing statement: Lambda function argument can't be a column name: {name}"
                    )
            if variables & set(tree.parameters):
                raise StatementError(
                    "Exception while preparing statement: Reusing lambda arguments in nested lambda is not allowed"
                )
            variables |= set(tree.parameters)
        for field in fields(tree):
            _check_lambdas(getattr(tree, field.name), columns, variables)


@dataclass(slots=True)
class ColumnAliases:
    """Makes names for unnamed columns: KSQL_COL_0 and so on, F or F_1 for ``s->f``; never one that a source has."""

    taken: set[str]

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)

    def next_generated(self) -> str:
        """Return the next KSQL_COL name."""
        return self._numbered("KSQL_COL", 0)

    def of_field(self, name: str) -> str:
        """Return the name for a struct's field."""
        if name not in self.taken:
            self.taken.add(name)
            return name
        return self._numbered(name, 1)

    def _numbered(self, prefix: str, first: int) -> str:
        index = first
        while f"{prefix}_{index}" in self.taken:
            index += 1
        self.taken.add(f"{prefix}_{index}")
        return f"{prefix}_{index}"


def _aliased(source: ast.Source) -> ast.Source:
    return replace(source, alias=source.alias or source.name)


def _qualified(part: ast.Expression, names: SourceNames) -> ast.Expression | None:
    if not isinstance(part, ast.ColumnReference) or part.qualifier is not None:
        return None
    owners = names.having(part.name)
    if len(owners) > 1:
        where = f"Line: {part.location.line}, Col: {part.location.column}: " if part.location else ""
        options = [f"{owner.alias}.{part.name}" for owner in owners]
        listed = f"{', '.join(options[:-1])} or {options[-1]}"
        raise StatementError(
            f"Exception while preparing statement: {where}Column '{part.name}' is ambiguous. Could be {listed}."
        )
    return replace(part, qualifier=owners[0].alias) if owners else None


def _named(
    item: ast.SelectItem | ast.SelectAll | ast.SelectStructAll, names: SourceNames, aliases: ColumnAliases
) -> ast.SelectItem | ast.SelectAll | ast.SelectStructAll:
    if isinstance(item, ast.SelectAll):
        return item
    if isinstance(item, ast.SelectStructAll):
        return replace(item, base=substitute(item.base, lambda part: _qualified(part, names)))
    expression = substitute(item.expression, lambda part: _qualified(part, names))
    return replace(item, expression=expression, alias=item.alias or _alias(expression, names, aliases))


def _alias(expression: ast.Expression, names: SourceNames, aliases: ColumnAliases) -> str:
    match expression:
        case ast.ColumnReference(name, qualifier):
            clashes = names.is_join and len(names.having(name)) > 1
            return join_column(qualifier, name) if clashes and qualifier is not None else name
        case ast.Dereference(_, name):
            return aliases.of_field(name)
        case _:
            return aliases.next_generated()
