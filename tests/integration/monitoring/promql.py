"""What an expression names: selectors of series, and labels."""

from __future__ import annotations

import re

_OPERATORS = {"and", "or", "unless", "on", "by", "without", "bool", "offset"}
_FUNCTIONS = {"sum", "max", "min", "avg", "count", "rate", "delta", "increase", "time", "vector", "absent"}
_WORDS = _OPERATORS | _FUNCTIONS | {"quantile_over_time"}
_STRING = r'"(?:[^"\\]|\\.)*"'
_SELECTOR = re.compile(rf"(?<![\w:\"])([a-zA-Z_:][\w:]*)(\{{(?:[^}}\"]|{_STRING})*\}})?")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)")


def selectors(expression: str) -> list[str]:
    """Return the series that an expression selects, such as ``up{job="kafka"}``."""
    without_labels = _GROUPING.sub(" ", expression)
    without_ranges = re.sub(r"\[[^\]]*\]", "", without_labels)
    return [name + (matchers or "") for name, matchers in _SELECTOR.findall(without_ranges) if name not in _WORDS]


def grouping_labels(expression: str) -> set[str]:
    """Return the labels that an expression groups by."""
    return {label.strip() for labels in _GROUPING.findall(expression) for label in labels.split(",") if label.strip()}


def template_labels(text: str) -> set[str]:
    """Return the labels that a legend or an annotation names."""
    return set(re.findall(r"\{\{\s*(?:\$labels\.)?([a-z_]+)\s*\}\}", text)) - {"value"}
