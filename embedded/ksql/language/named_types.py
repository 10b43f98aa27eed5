"""Type names that the parser cannot know: custom types, and mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from embedded.ksql.errors import StatementError
from embedded.ksql.language.rewriting import rewrite
from embedded.ksql.types import (
    BIGINT,
    BOOLEAN,
    BYTES,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIME,
    TIMESTAMP,
    Base,
    SqlType,
)

Tree = TypeVar("Tree")

PRIMITIVES: Mapping[str, SqlType] = {
    "BOOLEAN": BOOLEAN,
    "INT": INTEGER,
    "INTEGER": INTEGER,
    "BIGINT": BIGINT,
    "DOUBLE": DOUBLE,
    "STRING": STRING,
    "VARCHAR": STRING,
    "BYTES": BYTES,
    "TIMESTAMP": TIMESTAMP,
    "DATE": DATE,
    "TIME": TIME,
}


@dataclass(frozen=True, slots=True)
class NamedType(SqlType):
    """A type that the statement names and ``resolve_types`` has yet to look up."""

    name: str = ""

    def __str__(self) -> str:
        return self.name


def resolve_types(tree: Tree, types: Mapping[str, SqlType]) -> Tree:
    """Return the statement with custom types looked up and decimals checked. Raises StatementError."""

    def resolved(node: object) -> object:
        if isinstance(node, NamedType):
            if node.name not in types:
                raise StatementError(f"Failed to prepare statement: Cannot resolve unknown type: {node.name}")
            return types[node.name]
        if isinstance(node, SqlType) and node.base is Base.DECIMAL:
            _check_decimal(node)
        return node

    return rewrite(tree, resolved)


def _check_decimal(kind: SqlType) -> None:
    text = f"DECIMAL({kind.precision},{kind.scale})"
    if kind.precision < 1:
        raise StatementError(f"Failed to prepare statement: DECIMAL precision must be >= 1: {text}")
    if kind.scale < 0:
        raise StatementError(f"Failed to prepare statement: DECIMAL scale must be >= 0: {text}")
    if kind.precision < kind.scale:
        raise StatementError(f"Failed to prepare statement: DECIMAL precision must be >= scale: {text}")
