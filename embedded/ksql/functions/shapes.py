"""The inner types of collections, where they are known to exist."""

from __future__ import annotations

from embedded.ksql.types import SqlType


def element_of(kind: SqlType) -> SqlType:
    """Return an ARRAY's element type or a MAP's value type."""
    if kind.element is None:
        raise TypeError(f"{kind} has no elements")
    return kind.element


def key_of(kind: SqlType) -> SqlType:
    """Return a MAP's key type."""
    if kind.key is None:
        raise TypeError(f"{kind} has no keys")
    return kind.key
