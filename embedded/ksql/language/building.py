"""From lark's parse tree to the syntax tree: what statements, queries and expressions have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from lark import Token

from embedded.ksql.language.ast import Location

Wanted = TypeVar("Wanted")

Children = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Name:
    """A normalised identifier, and what was written, apart from the keyword tokens around it."""

    text: str
    written: str


@dataclass(frozen=True, slots=True)
class Clause:
    """An optional part of a statement, found again by its name."""

    name: str
    value: Any


def location(meta: Any) -> Location | None:
    """Return where a rule's first token starts; None for a rule without tokens."""
    return None if meta.empty else Location(meta.line, meta.column)


def names(children: Children) -> list[str]:
    """Return the identifiers among the children."""
    return [child.text for child in children if isinstance(child, Name)]


def has(children: Children, kind: str) -> bool:
    """Whether a token of the kind is among the children."""
    return any(isinstance(child, Token) and child.type == kind for child in children)


def tokens(children: Children, kind: str) -> list[str]:
    """Return the texts of the tokens of one kind."""
    return [str(child) for child in children if isinstance(child, Token) and child.type == kind]


def nodes(children: Children) -> list[Any]:
    """Return what is neither a token nor a name nor a clause: the rules' results, in order."""
    return [child for child in children if not isinstance(child, Token | Name | Clause)]


def clause(children: Children, name: str, default: Any = None) -> Any:
    """Return the value of the clause of that name, or the default."""
    return next((child.value for child in children if isinstance(child, Clause) and child.name == name), default)


def repeated(expressions: Sequence[Wanted]) -> list[Wanted]:
    """Return the expressions that have stood in the list before."""
    return [expression for index, expression in enumerate(expressions) if expression in expressions[:index]]


def unquoted(text: str) -> str:
    """Return what a quoted string or name stands for."""
    quote = text[0]
    return text[1:-1].replace(quote * 2, quote)


def identifier(token: str) -> str:
    """Normalise a name: quoted ones as they are, others in upper case."""
    return unquoted(token) if token[0] in '`"' else token.upper()


def name_or_string(children: Children) -> str:
    """Return the one name as it was written, or the text of the one string (topics, subjects: case matters)."""
    found = [child.written for child in children if isinstance(child, Name)]
    return found[0] if found else unquoted(tokens(children, "STRING")[0])
