"""Which record a dead letter, or a replay of one, stems from."""

from __future__ import annotations

from pipeline.clients.letter_headers import CONTEXT, Headers, header_texts, position_in, replayed
from pipeline.clients.positions import Position


def origin_of_letter(own: Position, headers: Headers) -> tuple[Position, int]:
    """Return the record that failed first, and how often it was replayed; its own place if nothing says where."""
    texts, again = header_texts(headers), replayed(headers)
    connector = texts.get(f"{CONTEXT}connector.name", "unknown")
    if again and texts.get(f"{CONTEXT}topic", "") == f"{again[0].topic}.retry.{connector}":
        return again
    return position_in(texts, CONTEXT) or own, 0


def origin_of_retry(own: Position, headers: Headers) -> tuple[Position, int]:
    """Return the letter's record and the number of the attempt; its own place where no replay wrote it."""
    return replayed(headers) or (own, 0)
