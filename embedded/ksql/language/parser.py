"""Parses statements and expressions of the dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, cast

from lark import Lark, Token, UnexpectedToken
from lark.exceptions import VisitError

from embedded.ksql.errors import StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.expression_building import refuse_overflow
from embedded.ksql.language.lexer import TokenLexer, split_statements, tokenize
from embedded.ksql.language.statement_building import StatementBuilder
from embedded.ksql.language.syntax_errors import syntax_error

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class ParsedStatement:
    """A statement and the part of the request's text it was made of, its semicolon included."""

    statement: ast.Statement
    text: str


def parse(text: str, variables: Mapping[str, str] | None = None) -> list[ParsedStatement]:
    """Parse one or several statements, each ended by a semicolon.

    ``${name}`` is replaced from ``variables`` (names in lower case) and from the DEFINE statements before.
    Types that are neither built in nor custom are left for ``named_types.resolve_types``.
    Raises StatementError with ksqlDB's ``line 1:8: Syntax Error``.
    """
    if "${" in text or variables or re.search(r"\bDEFINE\b", text, re.IGNORECASE):
        return _parse_with_variables(text, dict(variables or {}))
    return [_parsed(tokens, text) for tokens in split_statements(tokenize(text))]


def parse_expression(text: str) -> ast.Expression:
    """Parse one expression. Raises StatementError."""
    return cast("ast.Expression", _run(tokenize(text), text, "expression"))


def _parse_with_variables(text: str, variables: dict[str, str]) -> list[ParsedStatement]:
    """Parse statement by statement, since a DEFINE may change the text of the next one."""
    parsed: list[ParsedStatement] = []
    for tokens in split_statements(tokenize(text)):
        own_text = _substituted(_source(tokens, text), variables)
        for own_tokens in split_statements(tokenize(own_text)):
            found = _parsed(own_tokens, own_text)
            match found.statement:
                case ast.DefineVariable(name, value):
                    variables[name] = value
                case ast.UndefineVariable(name):
                    variables.pop(name, None)
            parsed.append(found)
    return parsed


def _substituted(text: str, variables: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: variables.get(match[1].lower(), match[0]), text)


def _source(tokens: list[Token], text: str) -> str:
    return text[tokens[0].start_pos : tokens[-1].end_pos]


def _parsed(tokens: list[Token], text: str) -> ParsedStatement:
    return ParsedStatement(cast("ast.Statement", _run(tokens, text, "start")), _source(tokens, text))


def _run(tokens: list[Token], text: str, start: str) -> object:
    try:
        tree = _parser().parse(cast("Any", tokens), start=start)
    except UnexpectedToken as error:
        raise syntax_error(error, tokens, text) from None
    try:
        built = StatementBuilder().transform(tree)
        refuse_overflow(built)
    except VisitError as error:
        if isinstance(error.orig_exc, StatementError):
            raise error.orig_exc from None
        raise
    return cast("object", built)


@cache
def _parser() -> Lark:
    grammar = files("embedded.ksql.language").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        grammar,
        parser="lalr",
        lexer=TokenLexer,
        start=["start", "expression"],
        maybe_placeholders=False,
        propagate_positions=True,
    )
