"""A plan under construction, and what its key stands for."""

from __future__ import annotations

from dataclasses import dataclass

from embedded.ksql.errors import KsqlError
from embedded.ksql.language import ast
from embedded.ksql.planning.plan import Plan, WindowInfo

#: The ``key_kind`` of a foreign-key join, whose key is that of its left table.
FOREIGN_KEY_SOURCE = "primary key column"


@dataclass(frozen=True, slots=True)
class KeyPart:
    """One key column: the expressions over the plan's columns that stand for it, and how messages name it."""

    expressions: tuple[ast.Expression, ...]
    labels: tuple[str, ...]
    name: str  # what the column is called where the projection does not rename it
    equal: tuple[ast.Expression, ...] = ()  # what else a join made equal to it, and cannot be selected as the key


@dataclass(frozen=True, slots=True)
class Stage:
    """A plan, its key, and whether it is a table.

    ``late`` is what ksqlDB finds wrong only once it builds the query: after errors of the projection, the first first.
    """

    plan: Plan
    keys: tuple[KeyPart, ...]
    key_kind: str  # what messages call the key: "key column", "grouping expression", …
    is_table: bool
    window: WindowInfo | None = None
    synthetic_key: bool = False
    late: tuple[KsqlError, ...] = ()


def is_keyed_by(stage: Stage, expressions: tuple[ast.Expression, ...]) -> bool:
    """Whether the expressions are the key already, as ksqlDB sees it: never where there are several key columns."""
    return len(stage.keys) == len(expressions) == 1 and expressions[0] in stage.keys[0].expressions
