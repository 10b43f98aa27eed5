"""What a deployment did to one object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["topic", "schema", "table", "ksql", "connector"]
KINDS: tuple[Kind, ...] = ("topic", "schema", "table", "ksql", "connector")


@dataclass(frozen=True, slots=True)
class Change:
    """One object and what happened to it; ``detail`` says what of it changed."""

    kind: Kind
    name: str
    action: Literal["created", "updated", "unchanged"]
    detail: str = ""
