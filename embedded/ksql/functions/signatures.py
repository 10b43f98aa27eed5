"""Function signatures: written as ksqlDB prints them, parsed once, matched against argument types.

``"VARCHAR str, INT pos, INT... more -> VARCHAR"``; single letters are generic; ``LAMBDA(T, U) => R`` is a lambda.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from embedded.ksql import types
from embedded.ksql.functions.interface import Argument, LambdaShape
from embedded.ksql.functions.shapes import element_of, key_of
from embedded.ksql.types import Base, SqlType

Bindings: TypeAlias = dict[str, SqlType]

_TOKEN = re.compile(r"\s*(\.\.\.|=>|->|\w+|[<>(),])")
_PLAIN = {
    "BOOLEAN": types.BOOLEAN,
    "INT": types.INTEGER,
    "BIGINT": types.BIGINT,
    "DOUBLE": types.DOUBLE,
    "DECIMAL": types.decimal(0, 0),  # any precision and scale
    "VARCHAR": types.STRING,
    "BYTES": types.BYTES,
    "TIMESTAMP": types.TIMESTAMP,
    "DATE": types.DATE,
    "TIME": types.TIME,
    "INTERVALUNIT": types.INTERVALUNIT,
    "STRUCT": types.struct(),  # any fields
}
_WIDENING = (Base.INTEGER, Base.BIGINT, Base.DECIMAL, Base.DOUBLE)
_READ_FROM_TEXT = {Base.TIMESTAMP, Base.DATE, Base.TIME}


@dataclass(frozen=True, slots=True)
class Pattern:
    """What an argument may be: a ``name`` of _PLAIN or a generic letter, ARRAY, MAP or LAMBDA with ``inner``."""

    name: str
    inner: tuple[Pattern, ...] = ()

    @property
    def is_generic(self) -> bool:
        """Whether it is a type variable."""
        return len(self.name) == 1

    def __str__(self) -> str:
        if self.name == "LAMBDA":
            parameters = ", ".join(map(str, self.inner[:-1]))
            return f"LAMBDA ({parameters}) => {self.inner[-1]}"
        return f"{self.name}<{', '.join(map(str, self.inner))}>" if self.inner else self.name

    def generics(self) -> int:
        """Return how many type variables it mentions."""
        return int(self.is_generic) + sum(part.generics() for part in self.inner)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One declared parameter."""

    pattern: Pattern
    name: str
    variadic: bool = False

    def __str__(self) -> str:
        return f"{self.pattern}{'...' if self.variadic else ''} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class Signature:
    """Parameters and what is returned."""

    parameters: tuple[Parameter, ...]
    returns: Pattern

    @property
    def is_variadic(self) -> bool:
        """Whether the last parameter may be repeated, or left out."""
        return bool(self.parameters) and self.parameters[-1].variadic

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.parameters))})"

    def generics(self) -> int:
        """Return how many type variables the parameters mention."""
        return sum(parameter.pattern.generics() for parameter in self.parameters)

    def patterns_for(self, count: int) -> list[Pattern] | None:
        """Return one pattern per argument, or None if so many arguments do not fit."""
        patterns = [parameter.pattern for parameter in self.parameters]
        if self.is_variadic:
            repeated = patterns.pop()
            if count < len(patterns):
                return None
            return patterns + [repeated] * (count - len(patterns))
        return patterns if count == len(patterns) else None


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)

    def peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def take(self) -> str:
        return str(self._tokens.pop(0))

    def pattern(self) -> Pattern:
        name = self.take()
        if name == "LAMBDA":
            inner = self.inner("(", ")")
            self.take()
            return Pattern(name, (*inner, self.pattern()))
        return Pattern(name, self.inner("<", ">")) if self.peek() == "<" else Pattern(name)

    def inner(self, start: str, end: str) -> tuple[Pattern, ...]:
        patterns: list[Pattern] = []
        if self.peek() == start:
            while self.take() != end:
                patterns.append(self.pattern())
        return tuple(patterns)

    def parameter(self) -> Parameter:
        pattern = self.pattern()
        variadic = self.peek() == "..."
        if variadic:
            self.take()
        name = "" if self.peek() in {",", "->"} else self.take()
        return Parameter(pattern, name, variadic)


def parse_signature(text: str) -> Signature:
    """Read ``"VARCHAR str, INT pos -> VARCHAR"``."""
    reader = _Reader(text)
    parameters: list[Parameter] = []
    while reader.peek() != "->":
        if reader.peek() == ",":
            reader.take()
        parameters.append(reader.parameter())
    reader.take()
    return Signature(tuple(parameters), reader.pattern())


def match(
    signature: Signature, arguments: Sequence[Argument], *, widen: bool
) -> tuple[Bindings, list[SqlType | None]] | None:
    """Return what the type variables stand for and the implicit cast per argument; None if it does not fit."""
    patterns = signature.patterns_for(len(arguments))
    if patterns is None:
        return None
    bindings: Bindings = {}
    casts: list[SqlType | None] = []
    for pattern, argument in zip(patterns, arguments, strict=True):
        if isinstance(argument, LambdaShape) != (pattern.name == "LAMBDA"):
            return None
        if isinstance(argument, LambdaShape):
            if argument.parameters != len(pattern.inner) - 1:
                return None
            casts.append(None)
            continue
        fits, target = _accept(pattern, argument, bindings, widen=widen)
        if not fits:
            return None
        casts.append(target)
    return bindings, casts


def _accept(
    pattern: Pattern, argument: SqlType | None, bindings: Bindings, *, widen: bool
) -> tuple[bool, SqlType | None]:
    if argument is None or bind(pattern, argument, bindings):
        return True, None
    if widen and pattern.name in _PLAIN:
        declared = _PLAIN[pattern.name].base
        if argument.base in _WIDENING and declared in _WIDENING:
            wider = _WIDENING.index(argument.base) < _WIDENING.index(declared)
            return wider, _widened(argument, declared) if wider else None
        if argument.base is Base.STRING and declared in _READ_FROM_TEXT:
            return True, SqlType(declared)
    return False, None


def _widened(argument: SqlType, declared: Base) -> SqlType:
    if declared is Base.DECIMAL:
        return types.decimal(10 if argument.base is Base.INTEGER else 19, 0)
    return SqlType(declared)


def bind(pattern: Pattern, actual: SqlType, bindings: Bindings) -> bool:
    """Whether a type fits a pattern exactly; type variables met for the first time are noted."""
    if pattern.is_generic:
        return bindings.setdefault(pattern.name, actual) == actual
    match pattern.name:
        case "ARRAY":
            return actual.base is Base.ARRAY and bind(pattern.inner[0], element_of(actual), bindings)
        case "MAP":
            return (
                actual.base is Base.MAP
                and bind(pattern.inner[0], key_of(actual), bindings)
                and bind(pattern.inner[1], element_of(actual), bindings)
            )
        case _:
            return pattern.name in _PLAIN and _PLAIN[pattern.name].base is actual.base


def substitute(pattern: Pattern, bindings: Bindings) -> SqlType:
    """Return the type that a pattern stands for. Raises LookupError for a type variable nobody bound."""
    if pattern.is_generic:
        return bindings[pattern.name]
    match pattern.name:
        case "ARRAY":
            return types.array(substitute(pattern.inner[0], bindings))
        case "MAP":
            return types.mapping(substitute(pattern.inner[0], bindings), substitute(pattern.inner[1], bindings))
        case name:
            return _PLAIN[name]
