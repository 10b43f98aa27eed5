"""How ksqlDB's text falls into words: sqlglot's tokenizer with ksqlDB's quotes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

Tokens = Sequence[Token]


class KsqlTokenizer(Tokenizer):
    """Names in back-ticks or double quotes, text in single quotes."""

    IDENTIFIERS: ClassVar = ["`", '"']


class Ksql(Dialect):
    """ksqlDB's words in sqlglot's own grammar."""

    Tokenizer = KsqlTokenizer


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its words, its text from first to last, and whether a semicolon ends it."""

    tokens: Tokens
    text: str
    ended: bool

    @property
    def line(self) -> int:
        """The line on which it begins."""
        return int(self.tokens[0].line)

    @property
    def words(self) -> tuple[str, ...]:
        """Its words, irrespective of comments, spaces and the case of what is not quoted."""
        return tuple(word(token) for token in self.tokens)


def split_statements(text: str) -> list[Statement]:
    """Return the statements of a text. Raises SqlglotError where a quote is not closed."""
    statements: list[Statement] = []
    current: list[Token] = []
    for token in Ksql().tokenize(text):
        if token.token_type is not TokenType.SEMICOLON:
            current.append(token)
        elif current:
            statements.append(Statement(current, text[current[0].start : token.end + 1], ended=True))
            current = []
    if current:
        statements.append(Statement(current, text[current[0].start : current[-1].end + 1], ended=False))
    return statements


def word(token: Token) -> str:
    """Return a token as it is compared: quoted names and text as they stand, all else in upper case."""
    if token.token_type is TokenType.STRING:
        return f"'{token.text}'"
    return str(token.text) if token.token_type is TokenType.IDENTIFIER else str(token.text).upper()


def spell(words: Sequence[str]) -> str:
    """Return words as one would write them."""
    text = " ".join(words)
    for loose, tight in ((" ( ", "("), ("( ", "("), (" )", ")"), (" ,", ","), (" . ", ".")):
        text = text.replace(loose, tight)
    return text


def parse_expression(tokens: Tokens, text: str) -> exp.Expr | None:
    """Return the syntax tree of an expression, None where sqlglot does not know ksqlDB's syntax."""
    source = text[tokens[0].start : tokens[-1].end + 1]
    try:
        return sqlglot.parse_one(source, read=Ksql)
    except SqlglotError:
        return None


def split_at_commas(tokens: Tokens, *, types: bool = False) -> Iterator[Tokens]:
    """Yield the parts between commas that are within no bracket; in ``types``, < and > are brackets too."""
    opening, closing = ("(<", ")>") if types else ("([{", ")]}")
    depth, begun = 0, 0
    for index, token in enumerate(tokens):
        if token.token_type is not TokenType.STRING:
            depth += (token.text in opening) - (token.text in closing)
        if token.token_type is TokenType.COMMA and depth == 0:
            yield tokens[begun:index]
            begun = index + 1
    if tokens[begun:]:
        yield tokens[begun:]


def closing_parenthesis(tokens: Tokens, opening: int) -> int:
    """Return the index of the parenthesis that closes the one at ``opening``; the end where none does."""
    depth = 0
    for index in range(opening, len(tokens)):
        depth += (tokens[index].token_type is TokenType.L_PAREN) - (tokens[index].token_type is TokenType.R_PAREN)
        if depth == 0:
            return index
    return len(tokens)
