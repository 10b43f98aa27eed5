"""Turns ``ALIAS.COLUMN`` into the plan's column names, and refuses columns that do not exist."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.ksql.errors import StatementError
from embedded.ksql.expressions.typing import type_of
from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.language import ast
from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.source_names import AliasedSource, SourceNames, join_column
from embedded.ksql.planning.substitution import substitute
from embedded.ksql.types import Base, Schema

WINDOW_COLUMNS = frozenset({"WINDOWSTART", "WINDOWEND"})
SYNTHETIC_KEY = "ROWKEY"


@dataclass(frozen=True, slots=True)
class Selected:
    """One column of the projection: its name, and its expression over the plan's columns."""

    name: str
    expression: ast.Expression


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves the references of a sanitized query. ``free`` are the names that stand for themselves."""

    names: SourceNames
    free: frozenset[str] = frozenset()

    def resolve(self, expression: ast.Expression, clause: str) -> ast.Expression:
        """Return the expression over the plan's columns. Raises "… column 'X' cannot be resolved."."""
        return substitute(expression, lambda part: self._resolved(part, clause))

    def column(self, source: AliasedSource, name: str) -> ast.ColumnReference:
        """Return the reference to a source's column."""
        return ast.ColumnReference(join_column(source.alias, name) if self.names.is_join else name)

    def _resolved(self, part: ast.Expression, clause: str) -> ast.Expression | None:
        if not isinstance(part, ast.ColumnReference):
            return None
        if part.name in self.free and (part.qualifier is None or part.name in WINDOW_COLUMNS):
            return ast.ColumnReference(part.name)
        source = self.names.by_alias(part.qualifier) if part.qualifier is not None else None
        if source is None or not source.has(part.name):
            where = f"Line: {part.location.line}, Col: {part.location.column}: " if part.location else ""
            name = f"{part.qualifier}.{part.name}" if part.qualifier is not None else part.name
            hint = (
                f" '{name}' must be a column in the source schema since PARTITION BY is applied on the input."
                if clause == "PARTITION BY"
                else ""
            )
            raise StatementError(f"{where}{clause} column '{name}' cannot be resolved.{hint}")
        return self.column(source, part.name)


def window_columns_in(expression: ast.Expression) -> list[str]:
    """Return the window's bounds that an expression mentions."""
    found = [part.name for part in walk(expression) if isinstance(part, ast.ColumnReference)]
    return [name for name in found if name in WINDOW_COLUMNS]


def expand(
    item: ast.SelectItem | ast.SelectAll, resolver: Resolver, *, with_window: bool, synthetic_key: bool = False
) -> list[Selected]:
    """Return the columns of a select item. ``with_window``: ``*`` includes WINDOWSTART and WINDOWEND."""
    if isinstance(item, ast.SelectItem):
        return [Selected(item.alias or "", resolver.resolve(item.expression, "SELECT"))]
    sources = resolver.names.sources
    if item.qualifier is not None:
        sources = tuple(source for source in sources if source.alias == item.qualifier)
        if not sources:
            raise StatementError(f"'{item.qualifier}' is not a valid stream/table name or alias.")
    found = (
        [Selected(SYNTHETIC_KEY, ast.ColumnReference(SYNTHETIC_KEY))]
        if synthetic_key and item.qualifier is None
        else []
    )
    for source in sources:
        bounds = ("WINDOWSTART", "WINDOWEND") if source.source.window and with_window else ()
        keys = [column.name for column in source.source.schema.key]
        for name in (*keys, *bounds, *(column.name for column in source.source.schema.value)):
            reference = resolver.column(source, name)
            found.append(Selected(reference.name, reference))
    return found


def struct_fields(
    item: ast.SelectStructAll, resolver: Resolver, schema: Schema, library: FunctionLibrary
) -> list[Selected]:
    """Return the columns of ``base->*``: the struct's fields under their names."""
    base = resolver.resolve(item.base, "SELECT")
    kind = type_of(base, schema, library)
    if kind is None or kind.base is not Base.STRUCT:
        raise StatementError(f"Expected STRUCT type, got: {kind}")
    return [Selected(name, ast.Dereference(base, name)) for name, _ in kind.fields]
