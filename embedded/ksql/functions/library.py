"""The function library: everything that SQL can call, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from embedded.ksql.errors import StatementError
from embedded.ksql.functions import (  # noqa: F401 - importing a module declares its functions
    aggregates,
    arrays,
    collecting_aggregates,
    conditionals,
    encodings,
    json_functions,
    maps,
    masks,
    mathematics,
    offset_aggregates,
    regexps,
    strings,
    times,
    urls,
)
from embedded.ksql.functions.aggregate_registry import AGGREGATES, AggregateOverload, resolve_aggregate
from embedded.ksql.functions.interface import Argument, FunctionLibrary, ResolvedAggregate, ResolvedScalar
from embedded.ksql.functions.registry import SCALARS, Overload, resolve
from embedded.ksql.types import SqlType


class Library:
    """ksqlDB's functions; ``describe`` and ``names`` feed DESCRIBE FUNCTION and SHOW FUNCTIONS."""

    def is_aggregate(self, name: str) -> bool:
        """Whether the name is an aggregate function."""
        return name.upper() in AGGREGATES

    def is_table(self, name: str) -> bool:
        """Whether the name is a table function: it returns a list, one output row an element."""
        function = SCALARS.get(name.upper())
        return function is not None and function.is_table

    def exists(self, name: str) -> bool:
        """Whether any function has the name."""
        return name.upper() in SCALARS or self.is_aggregate(name)

    def resolve_scalar(self, name: str, arguments: Sequence[Argument]) -> ResolvedScalar:
        """Choose the overload (of a table function, too). Raises StatementError with ksqlDB's message."""
        function = SCALARS.get(name.upper())
        if function is None:
            raise StatementError(f"Can't find any functions with the name '{name}'")
        return resolve(function, arguments)

    def resolve_aggregate(
        self, name: str, arguments: Sequence[SqlType | None], constants: Sequence[Any]
    ) -> ResolvedAggregate:
        """Choose the overload. ``arguments`` are the types of all arguments, ``constants`` the literals at the end.

        Raises StatementError.
        """
        function = AGGREGATES.get(name.upper())
        if function is None:
            raise StatementError(f"Can't find any functions with the name '{name}'")
        return resolve_aggregate(function, arguments, constants)

    def names(self) -> list[dict[str, str]]:
        """Return name, type and category of every function, as SHOW FUNCTIONS lists them."""
        scalars = [
            {"name": name, "type": "TABLE" if known.is_table else "SCALAR", "category": known.category}
            for name, known in SCALARS.items()
        ]
        return scalars + [{"name": name, "type": "AGGREGATE", "category": "AGGREGATE"} for name in AGGREGATES]

    def describe(self, name: str) -> dict[str, Any]:
        """Return a function's description in the shape of DESCRIBE FUNCTION. Raises StatementError if unknown."""
        upper = name.upper()
        if upper in AGGREGATES:
            overloads: Sequence[Overload | AggregateOverload] = AGGREGATES[upper].overloads
            kind, description = "AGGREGATE", overloads[-1].description
        elif upper in SCALARS:
            overloads = SCALARS[upper].overloads
            kind, description = "TABLE" if SCALARS[upper].is_table else "SCALAR", overloads[0].description
        else:
            raise StatementError(f"Can't find any functions with the name '{upper}'")
        return {
            "name": upper,
            "description": description,
            "author": "Confluent" if kind == "AGGREGATE" else "",
            "version": "",
            "path": "internal",
            "functions": [_described(overload) for overload in overloads],
            "type": kind,
        }


def _described(overload: Overload | AggregateOverload) -> dict[str, Any]:
    parameters = overload.signature.parameters
    return {
        "arguments": [
            {
                "name": parameter.name,
                "type": str(parameter.pattern),
                "description": "",
                "isVariadic": parameter.variadic,
            }
            for parameter in parameters
        ],
        "returnType": str(overload.signature.returns),
        "description": overload.description,
        "argumentTypes": [str(parameter.pattern) for parameter in parameters],
    }


LIBRARY = Library()
_CONFORMS: FunctionLibrary = LIBRARY
