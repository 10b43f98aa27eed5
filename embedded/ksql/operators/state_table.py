"""States by key, in three tiers: changed since the last drain, recently used, and packed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from embedded.ksql.operators.packing import pack, unpack
from embedded.ksql.operators.spill import Packed, Spill

State = tuple[Any, ...]

RECENT_LIMIT = 20_000

#: The state of a group that no later row can bring back; it is remembered, and nothing else of it
DEAD: State = ()


class StateTable:
    """A dictionary of states by key bytes that stays small.

    ``changed`` and ``recent`` hold states as tuples and are read and written directly by the operators' inner loops;
    ``packed`` holds what the last drain knew, as bytes, or, when a store has many of them, as positions on disk.
    """

    __slots__ = ("_spill", "changed", "packed", "recent", "removed")

    def __init__(self, spill: Spill) -> None:
        self.changed: dict[bytes, State] = {}
        self.recent: dict[bytes, State] = {}
        self.packed: dict[bytes, Packed] = {}
        self.removed: set[bytes] = set()
        self._spill = spill

    def load(self, key: bytes) -> State | None:
        """Return a key's state, wherever it is."""
        state = self.changed.get(key)
        if state is None:
            state = self.recent.get(key)
        if state is None:
            found = self.packed.get(key)
            if found is None:
                return None
            state = tuple(unpack(self._spill.load(found)))
        return state

    def put(self, key: bytes, state: State) -> None:
        """Set a key's state."""
        self.changed[key] = state

    def remove(self, key: bytes) -> None:
        """Forget a key; the removal is part of the next drain."""
        self.changed.pop(key, None)
        if key in self.packed:
            self.restore(key, None)
            self.removed.add(key)

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """Pack what changed and return it; removed keys come first, as None."""
        changed, packed = self.changed, self.packed
        changes: list[tuple[bytes, bytes | None]] = [(key, None) for key in sorted(self.removed - changed.keys())]
        self.removed.clear()
        values = [pack(state) for state in changed.values()]
        for key in changed.keys() & packed.keys():
            self._spill.discard(packed[key])
        packed.update(zip(changed, self._spill.store(values), strict=True))
        changes.extend(zip(changed, values, strict=True))
        if len(self.recent) + len(self.changed) > RECENT_LIMIT:
            self.recent.clear()
        if len(self.changed) <= RECENT_LIMIT:
            self.recent.update(self.changed)
        self.changed = {}
        return changes

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Put a drained value back; None forgets the key."""
        found = self.packed.pop(key, None)
        self.recent.pop(key, None)
        if found is not None:
            self._spill.discard(found)
        if value is not None:
            self.packed[key] = self._spill.store_one(value)

    def keys(self) -> list[bytes]:
        """Return every key."""
        return [*self.packed, *(key for key in self.changed if key not in self.packed)]

    def items(self) -> Iterator[tuple[bytes, State]]:
        """Yield every key with its state, DEAD ones left out."""
        for key in self.keys():
            state = self.load(key)
            if state:
                yield key, state

    def __len__(self) -> int:
        return len(self.packed) + sum(key not in self.packed for key in self.changed)
