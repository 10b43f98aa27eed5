"""Who was erased, without knowing who: a salted hash of each id, and up to where in each topic it counts."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from pipeline.clients.kafka import Offsets

_SALT_BYTES = 16
_HASH_BYTES = 32


@dataclass(slots=True)
class Erasures:
    """All erasures: hash → topic → partition → offset before which records of that person do not count."""

    salt: bytes
    ends: dict[bytes, dict[str, Offsets]]
    _known: dict[str, dict[str, Offsets] | None] = field(default_factory=dict)

    def of(self, user_id: str) -> dict[str, Offsets] | None:
        """Return where records of this person do not count, None where nobody of this id was erased."""
        if not self.ends:
            return None
        if user_id not in self._known:
            self._known[user_id] = self.ends.get(hash_of(user_id, self.salt))
        return self._known[user_id]

    def cover(self, user_id: str | None, topic: str, partition: int, offset: int) -> bool:
        """Whether a record of this person at this place was erased."""
        ends = None if user_id is None else self.of(user_id)
        return ends is not None and offset < ends.get(topic, {}).get(partition, 0)


def hash_of(user_id: str, salt: bytes) -> bytes:
    """Return the hash under which a person is remembered (BLAKE2b, keyed with the salt)."""
    return hashlib.blake2b(user_id.encode(errors="surrogatepass"), key=salt, digest_size=_HASH_BYTES).digest()


def read_erasures(connection: psycopg.Connection) -> Erasures:
    """Read all erasures; the salt is a new one where there are none yet."""
    rows = connection.execute("SELECT person, salt, ends FROM erasures").fetchall()
    salt = rows[0][1] if rows else secrets.token_bytes(_SALT_BYTES)
    return Erasures(bytes(salt), {bytes(person): _ends(ends) for person, _, ends in rows})


def record_erasure(
    connection: psycopg.Connection, user_id: str, ends: Mapping[str, Offsets], *, erased_by: str
) -> None:
    """Remember that a person was erased, with all of their records before ``ends`` (topic → partition → offset)."""
    salt = read_erasures(connection).salt
    connection.execute(
        "INSERT INTO erasures (person, salt, erased_by, ends) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (person) DO UPDATE SET erased_at = now(), erased_by = EXCLUDED.erased_by, ends = EXCLUDED.ends",
        (hash_of(user_id, salt), salt, erased_by, Jsonb(ends)),
    )


def _ends(document: Mapping[str, Mapping[str, Any]]) -> dict[str, Offsets]:
    return {
        topic: {int(partition): int(end) for partition, end in partitions.items()}
        for topic, partitions in document.items()
    }
