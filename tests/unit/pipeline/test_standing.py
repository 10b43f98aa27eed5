from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.verify.standing import Standing
from pipeline.verify.verification import StatsDifference

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def row(events: int, **changes: Any) -> dict[str, Any]:
    sums = {
        "total_events": events,
        "total_purchases": 0,
        "total_spent": 0,
        "last_active": NOW + timedelta(seconds=events),
    }
    return {**sums, "last_purchase": None, "avg_session_seconds": 0.0, "engagement_score": events / 2, **changes}


def difference(expected: dict[str, Any] | None, actual: dict[str, Any] | None, user: str = "u") -> StatsDifference:
    return StatsDifference(user, expected, actual)


def test_who_was_right_in_one_look_does_not_differ() -> None:
    standing = Standing()
    assert standing.narrow([difference(row(2), row(1), "a"), difference(row(2), row(1), "b")]).count == 2
    assert standing.narrow([difference(row(2), row(1), "a")]).count == 1
    assert standing.narrow([difference(row(9), row(1), "b"), difference(row(9), row(1), "c")]).count == 0
    assert (standing.count, standing.moving) == (0, set())


def test_what_differs_is_told_column_by_column() -> None:
    (found,) = Standing().narrow([difference(row(2), row(2, total_spent=1))]).first
    assert (found.expected, found.actual) == ({"total_spent": 0}, {"total_spent": 1})


def test_who_has_events_all_the_while_is_right_between_what_was_and_what_is_expected() -> None:
    standing = Standing()
    standing.narrow([difference(row(5), row(4))])
    assert standing.narrow([difference(row(8), row(6))]).count == 0
    assert standing.moving == {"u"}


def test_who_is_late_by_more_than_one_look_is_right_when_the_first_one_is_reached() -> None:
    standing = Standing()
    standing.narrow([difference(row(5), row(1))])
    assert standing.narrow([difference(row(8), row(3))]).count == 1
    assert standing.narrow([difference(row(11), row(5))]).count == 0


def test_a_row_beyond_what_came_is_wrong_however_many_events_come() -> None:
    for wrong in (row(6, total_events=9), row(6, total_spent=1), row(6, last_purchase=NOW), row(4)):
        standing = Standing()
        standing.narrow([difference(row(5), wrong)])
        assert standing.narrow([difference(row(8), wrong)]).count == 1
        assert standing.moving == set()


def test_without_new_events_nothing_lies_between() -> None:
    standing = Standing()
    standing.narrow([difference(row(5), row(5, avg_session_seconds=1.0))])
    assert not standing.is_still
    assert standing.narrow([difference(row(5), row(5, avg_session_seconds=1.0))]).count == 1
    assert standing.is_still
    assert standing.narrow([difference(row(5), row(5, avg_session_seconds=2.0))]).count == 1
    assert not standing.is_still


def test_a_row_without_events_and_events_without_a_row_are_never_between() -> None:
    standing = Standing()
    standing.narrow([difference(None, row(5), "a"), difference(row(5), None, "b")])
    assert standing.narrow([difference(None, row(6), "a"), difference(row(6), None, "b")]).count == 2
