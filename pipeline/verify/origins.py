"""Which record a dead letter, or a replay of one, stems from: in its headers, read as DeadLetterRow.java does."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.verify.verification import Position

_CONTEXT = "__connect.errors."
_ORIGIN = "pipeline.dead-letter."
_PARTITION = re.compile(r"[0-9]{1,9}")
_OFFSET = re.compile(r"[0-9]{1,18}")

Headers = Sequence[tuple[str, str | bytes | None]] | None


def origin_of_letter(own: Position, headers: Headers) -> tuple[Position, int]:
    """Return the record that failed first, and how often it was replayed; its own place if nothing says where."""
    texts = _texts(headers)
    context = texts.get(f"{_CONTEXT}topic", "")
    replayed = _replayed(texts)
    if replayed and context == f"{replayed[0].topic}.retry.{texts.get(f'{_CONTEXT}connector.name', 'unknown')}":
        return replayed
    return (_position(texts, _CONTEXT) or own), 0


def origin_of_retry(own: Position, headers: Headers) -> tuple[Position, int]:
    """Return the letter's record and the number of the attempt; its own place where no replay wrote it."""
    return _replayed(_texts(headers)) or (own, 0)


def text_of(content: bytes | str | None) -> str | None:
    """Return a key as text, or None."""
    if isinstance(content, bytes):
        return content.decode(errors="replace")
    return content


def _replayed(texts: Mapping[str, str]) -> tuple[Position, int] | None:
    position, attempt = _position(texts, _ORIGIN), texts.get(f"{_ORIGIN}attempt", "")
    return (position, int(attempt)) if position and _PARTITION.fullmatch(attempt) else None


def _position(texts: Mapping[str, str], prefix: str) -> Position | None:
    topic, partition, offset = (texts.get(f"{prefix}{name}", "") for name in ("topic", "partition", "offset"))
    if topic and _PARTITION.fullmatch(partition) and _OFFSET.fullmatch(offset):
        return Position(topic, int(partition), int(offset))
    return None


def _texts(headers: Headers) -> dict[str, str]:
    """Return the headers that say where from; of two with one name the last, which is Connect's own."""
    return {
        name: text_of(value) or "" for name, value in headers or () if name.startswith((_CONTEXT, _ORIGIN)) and value
    }
