"""A query's sources need give no more columns than it looks at."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from embedded.ksql.planning.column_use import used_columns
from embedded.ksql.planning.plan import Sink


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE STREAM o AS SELECT id, v + 1 AS w FROM ev WHERE s = 'a';", [{"V", "S"}]),
        ("CREATE TABLE o AS SELECT id, COUNT(*) AS n FROM ev GROUP BY id;", [set()]),
        ("CREATE TABLE o AS SELECT s, SUM(v) AS n FROM ev WHERE ok GROUP BY s HAVING SUM(v) > 1;", [{"S", "V", "OK"}]),
        ("CREATE STREAM o AS SELECT id, st->f AS f FROM ev;", [{"ST"}]),
        ("SELECT ROWTIME, v FROM ev EMIT CHANGES;", [{"V"}]),
    ],
)
def test_only_columns_that_expressions_name_are_used(
    plan: Callable[[str], Sink], text: str, expected: list[set[str]]
) -> None:
    assert [set(used or ()) - {"ID", "ROWTIME"} for used in used_columns(plan(text))] == expected


def test_every_source_of_a_join_is_told_in_the_order_of_the_plan(plan: Callable[[str], Sink]) -> None:
    joined = "CREATE STREAM o AS SELECT ev.id AS id, ev.v AS v, users.name AS n FROM ev JOIN users ON ev.id = users.id;"
    left, right = used_columns(plan(joined))
    assert left is None or {"V"} <= left
    assert right is None or {"NAME"} <= right


def test_a_new_key_hands_whole_rows_on(plan: Callable[[str], Sink]) -> None:
    (used,) = used_columns(plan("CREATE STREAM o AS SELECT v, s FROM ev PARTITION BY s;"))
    assert used is None or {"V", "S"} <= used
