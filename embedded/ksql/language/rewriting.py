"""Rebuild a syntax tree with some of its nodes replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

Tree = TypeVar("Tree")


def rewrite(tree: Tree, change: Callable[[Any], Any]) -> Tree:
    """Return the tree with ``change`` applied to every node, children first.

    ``change`` gets each dataclass instance (syntax nodes and SQL types) and returns it or what replaces it.
    Nodes without a change below them are kept as they are.
    """
    return cast("Tree", _rewritten(tree, change))


def walk(tree: object) -> Iterator[object]:
    """Yield every dataclass instance of the tree, parents first."""
    if isinstance(tree, tuple):
        for item in tree:
            yield from walk(item)
    elif is_dataclass(tree) and not isinstance(tree, type):
        yield tree
        for field in fields(tree):
            yield from walk(getattr(tree, field.name))


def _rewritten(tree: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(tree, tuple):
        items = tuple(_rewritten(item, change) for item in tree)
        return tree if all(new is old for new, old in zip(items, tree, strict=True)) else items
    if not is_dataclass(tree) or isinstance(tree, type):
        return tree
    changes: dict[str, Any] = {}
    for field in fields(tree):
        old = getattr(tree, field.name)
        new = _rewritten(old, change)
        if new is not old:
            changes[field.name] = new
    return change(replace(tree, **changes) if changes else tree)
