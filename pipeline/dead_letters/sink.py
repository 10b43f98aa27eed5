"""The sink that failed: where it takes replays from, and which row a record becomes there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pipeline.clients.connect import Connect
from pipeline.dead_letters.letter import text_or_none
from pipeline.errors import RejectedError


@dataclass(frozen=True, slots=True)
class Sink:
    """What a connector's configuration says; ``by_record_key`` if a record's key, not a field, is the row's key."""

    connector: str
    topics: frozenset[str]
    table: str
    key_fields: tuple[str, ...]
    by_record_key: bool

    def retry_topic(self, topic: str) -> str:
        """Return the topic that this connector alone reads besides. Raises RejectedError if it does not read it."""
        name = f"{topic}.retry.{self.connector}"
        if name not in self.topics:
            message = (
                f"connector {self.connector} does not read {name}: add it to `topics` in "
                f"connectors/{self.connector}.json and to topics.yaml, then run `pipeline deploy`"
            )
            raise RejectedError(message)
        return name

    def row_key(self, key: bytes | None, record: Mapping[str, Any] | None) -> str | None:
        """Return the key of the row as text, as PostgreSQL writes it; None where it cannot be told."""
        if len(self.key_fields) != 1:
            return None
        if self.by_record_key:
            return text_or_none(key)
        value = (record or {}).get(self.key_fields[0])
        return None if value is None else _canonical(str(value))


def _canonical(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return text


def read_sink(connect: Connect, connector: str) -> Sink:
    """Ask Connect for a sink's configuration. Raises RejectedError if there is no such connector."""
    config = connect.config(connector)
    if config is None:
        message = f"connector {connector} is not deployed: run `pipeline deploy`, or leave its letters out"
        raise RejectedError(message)
    return Sink(
        connector=connector,
        topics=frozenset(topic.strip() for topic in config.get("topics", "").split(",")),
        table=config.get("collection.name.format", ""),
        key_fields=tuple(field.strip() for field in config.get("primary.key.fields", "").split(",") if field.strip()),
        by_record_key=config.get("primary.key.mode") == "record_key",
    )
