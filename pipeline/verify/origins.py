"""Which record a dead letter, or a replay of one, stems from."""

from __future__ import annotations

from pipeline.clients.letter_headers import CONTEXT, Headers, coordinates_in, header_texts, replayed
from pipeline.verify.verification import Position


def origin_of_letter(own: Position, headers: Headers) -> tuple[Position, int]:
    """Return the record that failed first, and how often it was replayed; its own place if nothing says where."""
    texts = header_texts(headers)
    again, context = replayed(headers), coordinates_in(texts, CONTEXT)
    connector = texts.get(f"{CONTEXT}connector.name", "unknown")
    if again and texts.get(f"{CONTEXT}topic", "") == f"{again[0][0]}.retry.{connector}":
        return Position(*again[0]), again[1]
    return Position(*context) if context else own, 0


def origin_of_retry(own: Position, headers: Headers) -> tuple[Position, int]:
    """Return the letter's record and the number of the attempt; its own place where no replay wrote it."""
    again = replayed(headers)
    return (Position(*again[0]), again[1]) if again else (own, 0)
