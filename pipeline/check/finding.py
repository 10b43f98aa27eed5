"""One thing that is wrong with the declarations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import DeclarationError


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Where it is, what is wrong, why that matters, and how to put it right; ``fix`` may be empty."""

    path: Path
    line: int
    what: str
    why: str = ""
    fix: str = ""


def finding_of(error: DeclarationError) -> Finding:
    """Return the finding that a file could not be understood."""
    return Finding(error.path or Path(), error.line, error.reason)
