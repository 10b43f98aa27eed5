"""The two stages at which ksqlDB finds fault with an expression; they decide how the message is wrapped."""

from __future__ import annotations

from embedded.ksql.errors import StatementError


class ExpressionTypeError(StatementError):
    """Found while the expression is typed."""


class CodeError(StatementError):
    """Found only where ksqlDB generates code: "Invalid Select: …", "Invalid Predicate: …"."""
