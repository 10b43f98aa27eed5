"""The headers that say which record failed first, as DeadLetterRow.java reads them.

Connect writes its context into every dead letter, `pipeline dlq replay` the origin and the attempt into every replay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pipeline.clients.positions import Position

CONTEXT = "__connect.errors."
ORIGIN = "pipeline.dead-letter."
_PARTITION = re.compile(r"[0-9]{1,9}")
_OFFSET = re.compile(r"[0-9]{1,18}")

Headers = Sequence[tuple[str, str | bytes | None]] | None


def replay_headers(origin: Position, attempt: int) -> list[tuple[str, bytes]]:
    """Return the headers of a replay: where the record stood when it failed first, and the number of the attempt."""
    said = {**origin._asdict(), "attempt": attempt}
    return [(f"{ORIGIN}{name}", str(value).encode()) for name, value in said.items()]


def replayed(headers: Headers) -> tuple[Position, int] | None:
    """Return what ``replay_headers`` wrote, or None where a record has nothing of the kind."""
    texts = header_texts(headers)
    origin, attempt = position_in(texts, ORIGIN), texts.get(f"{ORIGIN}attempt", "")
    return (origin, int(attempt)) if origin and _PARTITION.fullmatch(attempt) else None


def position_in(texts: Mapping[str, str], prefix: str) -> Position | None:
    """Return the position that headers with a prefix state, or None where they do not, or none that can be."""
    topic, partition, offset = (texts.get(f"{prefix}{name}", "") for name in ("topic", "partition", "offset"))
    if topic and _PARTITION.fullmatch(partition) and _OFFSET.fullmatch(offset):
        return Position(topic, int(partition), int(offset))
    return None


def header_texts(headers: Headers) -> dict[str, str]:
    """Return the headers that say where from; of two with one name the last, which is Connect's own."""
    return {name: text_of(value) or "" for name, value in headers or () if name.startswith((CONTEXT, ORIGIN)) and value}


def text_of(content: bytes | str | None) -> str | None:
    """Return a key or a header as text, or None."""
    return content.decode(errors="replace") if isinstance(content, bytes) else content
