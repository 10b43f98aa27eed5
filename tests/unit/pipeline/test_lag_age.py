from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.exporter.lag_age import LagAge


def test_a_consumer_at_the_end_is_not_behind() -> None:
    assert LagAge().seconds("p", now=100, end=7, committed=7) == 0


def test_the_age_counts_from_when_the_end_passed_the_committed_position() -> None:
    age = LagAge()
    assert age.seconds("p", now=100, end=5, committed=5) == 0
    assert age.seconds("p", now=110, end=8, committed=5) == 0
    assert age.seconds("p", now=130, end=9, committed=5) == 20
    assert age.seconds("p", now=140, end=9, committed=8) == 10
    assert age.seconds("p", now=150, end=9, committed=9) == 0


def test_what_was_seen_of_a_topic_that_was_created_anew_since_does_not_count() -> None:
    age = LagAge()
    age.seconds("p", now=0, end=1000, committed=900)
    assert age.seconds("p", now=500, end=0, committed=0) == 0
    assert age.seconds("p", now=600, end=5, committed=0) == 0
    assert age.seconds("p", now=610, end=5, committed=0) == 10


def test_partitions_do_not_know_of_each_other() -> None:
    age = LagAge()
    age.seconds("p", now=0, end=5, committed=0)
    assert age.seconds("q", now=60, end=5, committed=0) == 0
    assert age.seconds("p", now=60, end=5, committed=0) == 60


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60))
def test_the_age_is_that_of_the_first_end_ever_seen_behind_the_position(steps: list[tuple[int, int]]) -> None:
    age, ends, end, committed = LagAge(), [], 0, 0
    for now, (written, consumed) in enumerate(steps):
        end += written
        committed = min(end, committed + consumed)
        ends.append(end)
        expected = next((now - then for then, seen in enumerate(ends) if seen > committed), 0)
        assert age.seconds("p", now=now, end=end, committed=committed) == expected


def test_years_of_lag_are_remembered_in_bounded_memory_and_keep_their_beginning() -> None:
    age = LagAge()
    for now in range(20_000):
        seconds = age.seconds("p", now=now, end=now + 1, committed=0)
    assert seconds == 19_999
    assert len(age._ends["p"]) <= 4096
