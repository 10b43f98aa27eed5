"""Text to tokens: names, literals, keywords where they are keywords, and where each statement ends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lark import Token
from lark.lexer import Lexer

from embedded.ksql.language.keywords import AT_START_ONLY, CONTEXTUAL, FOLLOWED_BY, PRECEDED_BY, RESERVED

_TOKEN = re.compile(
    r"""
    (?P<SKIP>\s+|--[^\r\n]*|/\*.*?\*/)
  | (?P<BYTES>[xX]'(?:[0-9a-fA-F]{2})*')
  | (?P<STRING>'(?:[^']|'')*')
  | (?P<QUOTED>"(?:[^"]|"")*"|`(?:[^`]|``)*`)
  | (?P<NUMBERNAME>[0-9]+(?![eE][+-]?[0-9]+(?![A-Za-z0-9_@]))[A-Za-z_@][A-Za-z0-9_@:]*)
  | (?P<DOUBLE>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]+)
  | (?P<DECIMALNUMBER>[0-9]+\.[0-9]*|\.[0-9]+)
  | (?P<INTEGER>[0-9]+)
  | (?P<WORD>[A-Za-z_][A-Za-z0-9_@]*)
  | (?P<SYMBOL>:=|=>|->|<>|!=|<=|>=|\|\||[-+*/%=<>(),.;\[\]])
    """,
    re.VERBOSE | re.DOTALL,
)

_SYMBOLS = {
    ":=": "ASSIGN", "=>": "LAMBDA_ARROW", "->": "ARROW", "<>": "NOT_EQUAL", "!=": "NOT_EQUAL",
    "<=": "LESS_EQUAL", ">=": "GREATER_EQUAL", "||": "CONCAT", "-": "MINUS", "+": "PLUS", "*": "STAR",
    "/": "SLASH", "%": "PERCENT", "=": "EQUAL", "<": "LESS", ">": "GREATER", "(": "LPAR", ")": "RPAR",
    ",": "COMMA", ".": "DOT", ";": "SEMICOLON", "[": "LSQB", "]": "RSQB",
}  # fmt: skip

UNRECOGNIZED = "UNRECOGNIZED"
"""The type of a token that no rule accepts: a stray character, an unterminated string."""


class TokenLexer(Lexer):
    """Hands ready-made tokens to lark."""

    def __init__(self, _configuration: Any) -> None:
        pass

    def lex(self, tokens: Sequence[Token]) -> Iterator[Token]:  # type: ignore[override]  # lark's one-argument form
        """Yield the tokens, which the caller passes as the text."""
        yield from tokens


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a text, comments and white space left out, keywords told from names."""
    tokens = list(_raw_tokens(text))
    for index, token in enumerate(tokens):
        if token.type == "WORD":
            tokens[index] = _typed(token, _keyword_or_name(tokens, index))
    for index, token in enumerate(tokens):
        if token.type == "LPAR" and _starts_lambda(tokens, index):
            tokens[index] = _typed(token, "LAMBDA_LPAR")
    return tokens


def split_statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the tokens of each statement, its semicolon included; the last may lack one."""
    statement: list[Token] = []
    for token in tokens:
        statement.append(token)
        if token.type == "SEMICOLON":
            yield statement
            statement = []
    if statement:
        yield statement


def _raw_tokens(text: str) -> Iterator[Token]:
    position, line, line_start = 0, 1, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        end = match.end() if match else position + 1
        kind = match.lastgroup if match else UNRECOGNIZED
        lexeme = text[position:end]
        if kind != "SKIP":
            name = _SYMBOLS[lexeme] if kind == "SYMBOL" else kind
            name = "IDENTIFIER" if name == "NUMBERNAME" else name
            column = position - line_start + 1
            yield Token(str(name), lexeme, start_pos=position, line=line, column=column, end_pos=end)
        newlines = lexeme.count("\n")
        if newlines:
            line += newlines
            line_start = position + lexeme.rindex("\n") + 1
        position = end


def _typed(token: Token, kind: str) -> Token:
    return Token.new_borrow_pos(kind, token.value, token)


def _keyword_or_name(tokens: Sequence[Token], index: int) -> str:
    word = tokens[index].value.upper()
    if word in RESERVED:
        return str(word)
    if word not in CONTEXTUAL:
        return "IDENTIFIER"
    before = tokens[index - 1].type if index else "SEMICOLON"
    if word in AT_START_ONLY and before != "SEMICOLON":
        return "IDENTIFIER"
    if word in PRECEDED_BY and before not in PRECEDED_BY[word]:
        return "IDENTIFIER"
    if word in FOLLOWED_BY and _kind_ahead(tokens, index + 1) not in FOLLOWED_BY[word]:
        return "IDENTIFIER"
    return str(word)


def _kind_ahead(tokens: Sequence[Token], index: int) -> str:
    if index >= len(tokens):
        return ""
    token = tokens[index]
    if token.type == "QUOTED":
        return "IDENTIFIER"
    if token.type != "WORD":
        return str(token.type)
    word = token.value.upper()
    return str(word) if word in RESERVED or word in CONTEXTUAL else "IDENTIFIER"


def _starts_lambda(tokens: Sequence[Token], index: int) -> bool:
    """Whether ``(`` opens a lambda's parameters: names and commas, then ``) =>``."""
    for position in range(index + 1, len(tokens) - 1):
        token = tokens[position]
        if token.type == "RPAR":
            return tokens[position + 1].type == "LAMBDA_ARROW"
        if token.type != "COMMA" and not token.value[:1].isalpha() and token.value[:1] not in '_`"':
            return False
    return False
