"""When a server that died is started again."""

from __future__ import annotations

from embedded.restarts import FIRST_BACK_OFF_SECONDS, LONGEST_BACK_OFF_SECONDS, MOST_RESTARTS, RestartPolicy


def test_a_server_that_dies_again_and_again_waits_twice_as_long_each_time_and_is_then_given_up() -> None:
    policy = RestartPolicy()
    waits = [policy.after_death(float(now)) for now in range(MOST_RESTARTS + 1)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, None]
    assert policy.deaths == MOST_RESTARTS + 1


def test_a_death_long_after_the_last_one_is_as_the_first() -> None:
    policy = RestartPolicy()
    for now in range(MOST_RESTARTS):
        policy.after_death(float(now))
    assert policy.after_death(1000.0) == FIRST_BACK_OFF_SECONDS
    assert policy.deaths == 1


def test_no_wait_is_longer_than_the_longest() -> None:
    policy = RestartPolicy()
    waits = [policy.after_death(number * 61.0) for number in range(20)]
    assert max(wait for wait in waits if wait is not None) <= LONGEST_BACK_OFF_SECONDS
