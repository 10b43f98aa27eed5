"""Requests are checked, re-sends are exact, the pace does not drift."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.http import Endpoint
from producer.errors import InvalidRequestError, RejectedError
from producer.pace import Pace
from producer.publisher import Publisher
from producer.resends import with_resends
from producer.run import ProduceRequest, timeline_of

NOW = datetime(2026, 11, 24, 13, 14, 15, tzinfo=UTC)
REQUEST = ProduceRequest(bootstrap_servers="127.0.0.1:1", schema_registry=Endpoint("http://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"events": 0}, "events must be at least 1"),
        ({"rate": 0}, "rate must be more than 0"),
        ({"rate": float("nan")}, "rate must be more than 0"),
        ({"users": 0}, "users must be at least 1"),
        ({"user": ""}, "user must not be empty"),
        ({"user": "a\0"}, "user must not contain"),
        ({"mode": "chaos"}, "mode must be one of random, session, anomaly"),
        ({"duplicates": 1.5}, "duplicates must be a share"),
        ({"since": timedelta(days=1), "events": None}, "since needs a number of events"),
        ({"since": timedelta(0)}, "since must be a span"),
        ({"since": timedelta(days=40_000)}, "since must be a span"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_naming_the_option(changes: dict[str, Any], complaint: str) -> None:
    REQUEST.check(NOW)
    with pytest.raises(InvalidRequestError, match=complaint):
        replace(REQUEST, **changes).check(NOW)


def test_times_are_live_unless_a_seed_or_a_span_says_otherwise() -> None:
    assert timeline_of(REQUEST, NOW).clock_ms is not None
    assert timeline_of(replace(REQUEST, seed=1), NOW).clock_ms is None
    since = timeline_of(replace(REQUEST, since=timedelta(days=1)), NOW)
    assert since.clock_ms is None
    assert since.start_ms == int(NOW.timestamp() * 1000) - 86_400_000


@pytest.mark.parametrize(
    ("count", "share", "again"),
    [
        (10, 0.05, 1),
        (9, 0.05, 0),
        (29, 0.05, 1),
        (100, 0.29, 29),
        (3, 0.1, 0),
        (20, 0.05, 1),
        (1, 1.0, 1),
        (10, 0.0, 0),
    ],
)
def test_of_few_events_the_nearest_number_is_sent_again(count: int, share: float, again: int) -> None:
    assert sum(resend for _, resend in with_resends(range(count), share, Random(1))) == again


@given(st.integers(0, 1500), st.floats(0, 1), st.integers())
def test_an_exact_share_is_sent_again_after_the_original(count: int, share: float, seed: int) -> None:
    sent = list(with_resends(range(count), share, Random(seed)))
    assert [message for message, resend in sent if not resend] == list(range(count))
    assert sum(resend for _, resend in sent) == int(count * Fraction(str(share)) + Fraction(1, 2))
    assert max(Counter(message for message, _ in sent).values(), default=0) <= 2
    seen: set[int] = set()
    for message, resend in sent:
        assert (message in seen) == resend
        seen.add(message)


class Clock:
    """Time that passes only in sleep, which always takes a millisecond too long."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds + 0.001


@pytest.mark.parametrize("rate", [0.5, 10.0, 4321.0, 40_000.0])
def test_late_wake_ups_do_not_add_up(rate: float) -> None:
    clock = Clock()
    pace = Pace(rate, threading.Event(), clock, clock.sleep)
    for index in range(2000):
        pace.wait(index, lambda: None)
        due = 100 + index / rate
        assert due <= clock.now <= due + 0.0011


def test_a_stop_ends_the_wait_for_a_far_record() -> None:
    clock, stop = Clock(), threading.Event()
    Pace(0.001, stop, clock, clock.sleep).wait(1, stop.set)
    assert clock.now < 101


def test_settings_that_kafka_does_not_know_are_refused() -> None:
    with pytest.raises(RejectedError, match=r"security\.protocol"):
        Publisher({"bootstrap.servers": "127.0.0.1:1", "security.protocol": "telepathy"}, threading.Event())
