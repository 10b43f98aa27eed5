"""Replaces parts of an expression, from the top down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from embedded.ksql.language import ast

Replacement = Callable[[ast.Expression], ast.Expression | None]


def substitute(expression: ast.Expression, replacement: Replacement) -> ast.Expression:
    """Return the expression with every part replaced for which ``replacement`` gives one; it is not looked into."""
    return cast("ast.Expression", _substituted(expression, replacement))


def _substituted(tree: Any, replacement: Replacement) -> Any:
    if isinstance(tree, tuple):
        items = tuple(_substituted(item, replacement) for item in tree)
        return tree if all(new is old for new, old in zip(items, tree, strict=True)) else items
    if not is_dataclass(tree) or isinstance(tree, type):
        return tree
    replaced = replacement(cast("ast.Expression", tree))
    if replaced is not None:
        return replaced
    changes = {}
    for field in fields(tree):
        old = getattr(tree, field.name)
        new = _substituted(old, replacement)
        if new is not old:
            changes[field.name] = new
    return replace(tree, **changes) if changes else tree
