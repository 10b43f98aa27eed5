"""Evaluates the text of an expression over one row."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from embedded.ksql.expressions.compiler import compile_row_function
from embedded.ksql.expressions.typing import type_of
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language.parser import parse_expression
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.plan import TypedExpression
from embedded.ksql.types import (
    BIGINT,
    BOOLEAN,
    DATE,
    DOUBLE,
    INTEGER,
    STRING,
    TIME,
    TIMESTAMP,
    Column,
    Schema,
    SqlType,
    array,
    decimal,
    mapping,
    struct,
)

COLUMNS: dict[str, tuple[SqlType, Any]] = {
    "I": (INTEGER, 7),
    "J": (INTEGER, 2),
    "L": (BIGINT, 7_000_000_000),
    "D": (DOUBLE, 2.5),
    "M": (decimal(8, 2), Decimal("10.50")),
    "N": (decimal(5, 3), Decimal("3.000")),
    "S": (STRING, "abc"),
    "OK": (BOOLEAN, True),
    "T": (TIMESTAMP, 1_704_067_200_000),
    "DT": (DATE, 19_723),
    "TM": (TIME, 43_200_000),
    "A": (array(INTEGER), [10, 20, 30]),
    "MP": (mapping(STRING, INTEGER), {"a": 1}),
    "ST": (struct(("F", INTEGER), ("G", struct(("H", STRING)))), {"F": 5, "G": {"H": "deep"}}),
    "I_NULL": (INTEGER, None),
    "M_NULL": (decimal(8, 2), None),
    "S_NULL": (STRING, None),
    "OK_NULL": (BOOLEAN, None),
    "T_NULL": (TIMESTAMP, None),
    "A_NULL": (array(INTEGER), None),
    "ST_NULL": (struct(("F", INTEGER)), None),
}
SCHEMA = Schema((Column("K", STRING),), tuple(Column(name, kind) for name, (kind, _) in COLUMNS.items()))
ROW = Row(("key",), tuple(value for _, value in COLUMNS.values()), 1000, (0, 60_000), 3, 42)

Evaluate = Callable[..., Any]


@pytest.fixture(scope="session")
def evaluate() -> Evaluate:
    """Return what computes an expression; keyword arguments replace column values."""

    def compute(text: str, **values: Any) -> Any:
        row = ROW._replace(value=tuple(values.get(name, value) for name, (_, value) in COLUMNS.items()))
        expression = parse_expression(text)
        typed = TypedExpression(expression, type_of(expression, SCHEMA, LIBRARY))
        (result,) = compile_row_function([typed], SCHEMA, LIBRARY)(row)
        return result

    return compute


@pytest.fixture(scope="session")
def typed() -> Callable[[str], str]:
    """Return what gives an expression's type as text."""
    return lambda text: str(type_of(parse_expression(text), SCHEMA, LIBRARY))
