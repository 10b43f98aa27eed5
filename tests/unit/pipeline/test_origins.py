from __future__ import annotations

import pytest

from pipeline.clients.letter_headers import Headers, replay_headers, replayed
from pipeline.clients.positions import Position
from pipeline.verify.origins import origin_of_letter, origin_of_retry

OWN = Position("dlq.user-events", 0, 7)
CONTEXT = [
    ("__connect.errors.topic", b"user-events"),
    ("__connect.errors.partition", b"3"),
    ("__connect.errors.offset", b"120"),
    ("__connect.errors.connector.name", b"user-events"),
]
REPLAY = [
    ("pipeline.dead-letter.topic", b"user-events"),
    ("pipeline.dead-letter.partition", b"1"),
    ("pipeline.dead-letter.offset", b"5"),
    ("pipeline.dead-letter.attempt", b"2"),
]


def test_a_letter_stems_from_where_connect_says() -> None:
    assert origin_of_letter(OWN, CONTEXT) == (Position("user-events", 3, 120), 0)


def test_a_letter_of_a_replay_keeps_its_first_origin() -> None:
    again = [("__connect.errors.topic", b"user-events.retry.user-events"), *CONTEXT[1:], *REPLAY]
    assert origin_of_letter(OWN, again) == (Position("user-events", 1, 5), 2)


def test_headers_of_a_replay_count_on_the_retry_topic_only() -> None:
    assert origin_of_letter(OWN, [*CONTEXT, *REPLAY]) == (Position("user-events", 3, 120), 0)


def test_the_last_of_two_headers_with_one_name_counts() -> None:
    assert origin_of_letter(OWN, [("__connect.errors.offset", b"1"), *CONTEXT])[0].offset == 120


@pytest.mark.parametrize("headers", [None, [], CONTEXT[:2], [*CONTEXT[:2], ("__connect.errors.offset", b"-1")]])
def test_a_letter_without_origin_has_its_own_place(headers: Headers) -> None:
    assert origin_of_letter(OWN, headers) == (OWN, 0)


def test_a_retry_stems_from_the_letter_and_a_strange_record_from_itself() -> None:
    assert origin_of_retry(OWN, REPLAY) == (Position("user-events", 1, 5), 2)
    assert origin_of_retry(OWN, [("something", b"else")]) == (OWN, 0)


def test_what_a_replay_writes_is_read_again_and_what_somebody_else_wrote_is_nothing() -> None:
    assert replayed(replay_headers(Position("user-events", 1, 5), 2)) == (Position("user-events", 1, 5), 2)
    assert replay_headers(Position("user-events", 1, 5), 2) == REPLAY
    assert replayed([*REPLAY[:3], ("pipeline.dead-letter.attempt", b"\xff")]) is None
    assert replayed([*REPLAY, ("pipeline.dead-letter.partition", b"-1")]) is None


def test_a_position_reads_like_a_place() -> None:
    assert str(Position("user-events", 3, 120)) == "user-events-3@120"
