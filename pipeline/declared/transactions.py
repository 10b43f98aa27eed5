"""Scripts hold no transactions of their own: a plan tries each in one that it rolls back."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.declared.sql import Migration, SqlFile
from pipeline.declared.tables import split_statements
from pipeline.errors import DeclarationError

_CONTROL = re.compile(r"(ABORT|BEGIN|COMMIT|END|PREPARE TRANSACTION|RELEASE|ROLLBACK|SAVEPOINT|START)\b")
_WHY = "each file runs in one transaction, so that it happens altogether or not at all, and is tried in one before"


def own_transactions(script: SqlFile | Migration) -> Iterator[DeclarationError]:
    """Yield what is wrong with each statement that begins or ends a transaction. Raises DeclarationError."""
    for tokens in split_statements(script):
        found = _CONTROL.match(" ".join(token.text for token in tokens[:2]).upper())
        if found:
            reason = f"{found[0]} does not belong here; {_WHY}; remove it"
            yield DeclarationError(reason, path=script.path, line=tokens[0].line)
