"""Says what is wrong with a text that no rule accepts, in ksqlDB's words."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from lark import Token, UnexpectedToken

from embedded.ksql.errors import StatementError
from embedded.ksql.language.keywords import RESERVED, STATEMENT_STARTS
from embedded.ksql.language.lexer import UNRECOGNIZED

UNITS = frozenset(
    {"DAY", "DAYS", "HOUR", "HOURS", "MINUTE", "MINUTES", "SECOND", "SECONDS", "MILLISECOND", "MILLISECONDS"}
)


def syntax_error(error: UnexpectedToken, tokens: Sequence[Token], text: str) -> StatementError:
    """Return the error for the first token that does not fit."""
    token = error.token
    if token.type == "$END":
        line, column = _end(text)
        return _error(line, column, "missing ';' at '<EOF>'")
    return _error(token.line or 1, token.column or 1, _explanation(error, tokens))


def _error(line: int, column: int, explanation: str) -> StatementError:
    return StatementError(f"line {line}:{column}: Syntax Error\n{explanation}")


def _end(text: str) -> tuple[int, int]:
    """Return the line and column just after the text's last character."""
    line = text.count("\n") + 1
    return line, len(text) - (text.rfind("\n") + 1) + 1


def _explanation(error: UnexpectedToken, tokens: Sequence[Token]) -> str:
    token = error.token
    expected = set(error.accepts or error.expected)
    if token.type == UNRECOGNIZED:
        return ""
    before = _before(token, tokens)
    if before is None:
        close = difflib.get_close_matches(str(token).upper(), STATEMENT_STARTS, n=1)
        hint = f"\nDid you mean '{close[0]}'?" if close else ""
        return f"Unknown statement '{token}'{hint}"
    if token.type in RESERVED and "IDENTIFIER" in expected and before.type not in {"STREAM", "TABLE"}:
        return (
            f'"{token}" is a reserved keyword and it can\'t be used as an identifier.'
            f" You can use it as an identifier by escaping it as '{token}' "
        )
    if expected == {"COMMA"}:
        return "Expecting ','"
    if expected <= UNITS or before.type == "IDENTIFIER":
        return ""
    return f"Syntax error at or near '{token}' at line {token.line}:{token.column}"


def _before(token: Token, tokens: Sequence[Token]) -> Token | None:
    earlier = [other for other in tokens if (other.start_pos or 0) < (token.start_pos or 0)]
    return earlier[-1] if earlier else None
