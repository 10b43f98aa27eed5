"""A piece of generated Python, and the names that it refers to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from embedded.ksql.expressions.scope import Scope
from embedded.ksql.types import SqlType

_CONSTANT = object()


class Code(NamedTuple):
    """A Python expression, the SQL type of its value, and what is known of the value."""

    text: str
    type: SqlType | None
    nullable: bool = True
    atomic: bool = False  # a name or a literal: may be written twice
    safe: bool = False  # computing it never raises
    constant: Any = _CONSTANT

    @property
    def is_constant(self) -> bool:
        """Whether the value is known now: ``constant``."""
        return self.constant is not _CONSTANT


@dataclass(slots=True)
class Unit:
    """What is compiled together: the scope, and the constants and temporaries of the generated function.

    ``careful`` code handles exceptions itself where ksqlDB does within an expression; the fast code just raises, and
    then the careful code is run.
    """

    scope: Scope
    careful: bool = False
    namespace: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)  # local name → source
    temporaries: int = 0

    def bind(self, value: Any) -> str:
        """Give a value a name in the generated code's namespace."""
        name = f"_c{len(self.namespace)}"
        self.namespace[name] = value
        return name

    def bind_named(self, name: str, value: Any) -> str:
        """Give a shared runtime function its own name."""
        self.namespace[name] = value
        return name

    def constant(self, value: Any, kind: SqlType | None) -> Code:
        """Return code for a constant."""
        if value is None or isinstance(value, bool | int | str):
            text = f"({value!r})" if isinstance(value, int) and value < 0 else repr(value)
        else:
            text = self.bind(value)
        return Code(text, kind, nullable=value is None, atomic=True, safe=True, constant=value)

    def column(self, name: str) -> Code:
        """Return code that reads a column."""
        kind = self.scope.column_type(name)
        source = self.scope.sources[name]
        local = "x_" + "_".join(part.rstrip("]") for part in source.split("["))
        self.columns[local] = source
        return Code(local, kind, nullable=not source.startswith("row["), atomic=True)

    def temporary(self) -> str:
        """Return a fresh local name."""
        self.temporaries += 1
        return f"t{self.temporaries}"

    def twice(self, code: Code) -> tuple[str, str]:
        """Return texts for the first and for any later use of a value."""
        if code.atomic:
            return code.text, code.text
        name = self.temporary()
        return f"({name} := {code.text})", name
