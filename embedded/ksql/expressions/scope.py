"""What the names in an expression stand for: columns, pseudo columns and a lambda's variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from embedded.ksql.expressions.errors import ExpressionTypeError
from embedded.ksql.functions.interface import FunctionLibrary
from embedded.ksql.types import BIGINT, INTEGER, Schema, SqlType

PSEUDO_COLUMNS: Mapping[str, SqlType] = {"ROWTIME": BIGINT, "ROWPARTITION": INTEGER, "ROWOFFSET": BIGINT}
WINDOW_BOUNDS: Mapping[str, SqlType] = {"WINDOWSTART": BIGINT, "WINDOWEND": BIGINT}

_PSEUDO_SOURCE = {
    "ROWTIME": "row[2]",
    "WINDOWSTART": "row[3][0]",
    "WINDOWEND": "row[3][1]",
    "ROWPARTITION": "row[4]",
    "ROWOFFSET": "row[5]",
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Where an expression stands: its input's columns, the function library, the lambdas around it."""

    library: FunctionLibrary
    types: Mapping[str, SqlType]
    sources: Mapping[str, str]
    variables: Mapping[str, SqlType | None] = field(default_factory=dict)

    def column_type(self, name: str) -> SqlType:
        """Return a column's type. Raises ExpressionTypeError for a name that is no column."""
        try:
            return self.types[name]
        except KeyError:
            raise ExpressionTypeError(f"Cannot find column `{name}` in the schema of the source.") from None

    def with_variables(self, variables: Mapping[str, SqlType | None]) -> Scope:
        """Return the scope of a lambda's body."""
        return replace(self, variables={**self.variables, **variables})


def scope_of(schema: Schema, library: FunctionLibrary) -> Scope:
    """Return the scope of rows of a schema; a value column hides a key or pseudo column of the same name.

    Column sources are Python over ``row``, ``key`` (never None) and ``value``; see the compiler.
    """
    types = {**PSEUDO_COLUMNS, **WINDOW_BOUNDS}
    sources = dict(_PSEUDO_SOURCE)
    for index, column in enumerate(schema.key):
        types[column.name] = column.type
        sources[column.name] = f"key[{index}]"
    for index, column in enumerate(schema.value):
        types[column.name] = column.type
        sources[column.name] = f"value[{index}]"
    return Scope(library, types, sources)
