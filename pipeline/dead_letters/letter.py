"""A dead letter, as the table holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from pipeline.clients.positions import Position
from pipeline.dead_letters.reasons import normalise_reason

Status = Literal["pending", "retrying", "resolved", "dead", "discarded"]
STATUSES: tuple[Status, ...] = get_args(Status)

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Letter:
    """A record that a sink could not write.

    ``origin`` is where it stood when it failed first; ``record`` its value decoded, None where that is not possible.
    """

    id: int
    origin: Position
    connector: str
    stage: str
    sql_state: str | None
    error_type: str
    error_message: str | None
    key: bytes | None
    value: bytes | None
    headers: Headers
    status: Status
    status_reason: str | None
    retry_count: int
    row_key: str | None
    first_seen: datetime
    last_seen: datetime
    record: Mapping[str, Any] | None = None

    @property
    def reason(self) -> str:
        """Why it failed, the same for all letters that failed alike."""
        return normalise_reason(self.error_type, self.sql_state, self.error_message)

    @property
    def user(self) -> str | None:
        """The user it is about: the record's key, where that is text."""
        return text_or_none(self.key)


def text_or_none(content: bytes | None) -> str | None:
    """Return the bytes as UTF-8 text, or None."""
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError:
        return None


def headers_from_json(documents: list[dict[str, str]]) -> Headers:
    """Return the headers that the dead letter sink wrote as JSON, byte for byte (HeadersAsJson.java)."""
    return tuple((document["name"], _header_value(document)) for document in documents)


def _header_value(document: Mapping[str, str]) -> bytes | None:
    if "hex" in document:
        return bytes.fromhex(document["hex"])
    return document["text"].encode() if "text" in document else None
