"""The sources of a query under their aliases, and which of them has a column."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.ksql.errors import StatementError
from embedded.ksql.expressions.scope import PSEUDO_COLUMNS, WINDOW_BOUNDS
from embedded.ksql.language import ast
from embedded.ksql.planning.interface import CatalogView, SourceView
from embedded.ksql.types import Column


@dataclass(frozen=True, slots=True)
class AliasedSource:
    """A source as a query names it."""

    alias: str
    source: SourceView

    @property
    def columns(self) -> tuple[Column, ...]:
        """Key and value columns."""
        return (*self.source.schema.key, *self.source.schema.value)

    @property
    def pseudo_columns(self) -> tuple[Column, ...]:
        """ROWTIME and the like; the window's bounds, if the key is windowed."""
        names = {**PSEUDO_COLUMNS, **(WINDOW_BOUNDS if self.source.window else {})}
        return tuple(Column(name, kind) for name, kind in names.items())

    def has(self, name: str) -> bool:
        """Whether it has a column, pseudo columns included."""
        return any(column.name == name for column in (*self.columns, *self.pseudo_columns))


@dataclass(frozen=True, slots=True)
class SourceNames:
    """All sources of a query, in order."""

    sources: tuple[AliasedSource, ...]

    @property
    def is_join(self) -> bool:
        """Whether there is more than one."""
        return len(self.sources) > 1

    def having(self, name: str) -> list[AliasedSource]:
        """Return the sources that have a column of the name."""
        return [source for source in self.sources if source.has(name)]

    def by_alias(self, alias: str) -> AliasedSource | None:
        """Return the source of an alias."""
        return next((source for source in self.sources if source.alias == alias), None)


def sources_of(query: ast.Query, catalog: CatalogView) -> SourceNames:
    """Look a query's sources up. Raises StatementError for one that does not exist."""
    found: list[AliasedSource] = []
    for source in (query.source, *(join.source for join in query.joins)):
        known = catalog.source(source.name)
        if known is None:
            raise StatementError(f"Exception while preparing statement: {source.name} does not exist.")
        found.append(AliasedSource(source.alias or source.name, known))
    return SourceNames(tuple(found))


def join_column(alias: str, name: str) -> str:
    """Return the name of a source's column within a join."""
    return f"{alias}_{name}"
