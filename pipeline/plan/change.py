"""What would be done to one object, and what of it differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Kind = Literal["acl", "topic", "schema", "migration", "table", "ksql", "connector"]
# In the order in which they need each other; whoever serves the later ones may need what the ACLs allow.
KINDS: tuple[Kind, ...] = ("acl", "topic", "schema", "migration", "table", "ksql", "connector")

# `keep`: this project deployed it and declares it no longer; only --prune deletes it. `drift`: it has more than is
# declared, which only a migration can take away. `unknown`: we may not see what is there.
Action = Literal["create", "update", "rebuild", "delete", "keep", "drift", "unknown", "unchanged"]
CHANGING: frozenset[Action] = frozenset({"create", "update", "rebuild", "delete"})


class Identity(NamedTuple):
    """Which object."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One key: what is there and what would be; None where there is nothing."""

    key: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One object: ``consequences`` in words, ``refusal`` why a server or a rule forbids it, None if nothing does."""

    kind: Kind
    name: str
    action: Action
    differences: tuple[Difference, ...] = ()
    consequences: tuple[str, ...] = ()
    refusal: str | None = None

    @property
    def identity(self) -> Identity:
        """Which object it is about."""
        return Identity(self.kind, self.name)

    @property
    def changes(self) -> bool:
        """Whether anything would be done, or ought to be and cannot."""
        return self.action in CHANGING or self.action == "drift" or self.refusal is not None

    @property
    def detail(self) -> str:
        """The differences in a line."""
        if self.action == "update":
            return ", ".join(
                f"{one.key}: {one.before} → {one.after}" if one.before and one.after and _short(one) else one.key
                for one in self.differences
            )
        return ""


def _short(difference: Difference) -> bool:
    longest = 40
    return len(difference.before or "") + len(difference.after or "") <= longest


def compare_mappings(
    before: Mapping[str, str], after: Mapping[str, str], *, prefix: str = ""
) -> tuple[Difference, ...]:
    """Return where two mappings differ, in order of key."""
    return tuple(_differences(before, after, prefix))


def _differences(before: Mapping[str, str], after: Mapping[str, str], prefix: str) -> Iterator[Difference]:
    for key in sorted(before.keys() | after.keys()):
        if before.get(key) != after.get(key):
            yield Difference(f"{prefix}{key}", before.get(key), after.get(key))
