"""Pull queries look keys up where the condition pins them, and scan otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from embedded.ksql.errors import StatementError
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language import ast
from embedded.ksql.language.parser import parse
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.interface import CatalogView
from embedded.ksql.planning.pull import PullPlan, plan_pull_query


@pytest.fixture(scope="session")
def pull(catalog: CatalogView) -> Callable[[str], PullPlan]:
    def planned(text: str) -> PullPlan:
        (parsed,) = parse(text)
        assert isinstance(parsed.statement, ast.Query)
        return plan_pull_query(parsed.statement, catalog, LIBRARY)

    return planned


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ("id = 'a'", (("a",),)),
        ("'a' = id AND pts > 1", (("a",),)),
        ("id IN ('a', 'b')", (("a",), ("b",))),
        ("id = UCASE('a')", (("A",),)),
        ("id > 'a'", None),
        ("id = 'a' OR pts > 1", None),
        ("pts = 1", None),
        ("id = name", None),
    ],
)
def test_keys_of_the_condition(pull: Callable[[str], PullPlan], where: str, keys: Any) -> None:
    assert pull(f"SELECT * FROM users WHERE {where};").keys == keys


def test_the_whole_condition_is_asked_of_every_row(pull: Callable[[str], PullPlan]) -> None:
    plan = pull("SELECT name FROM users WHERE id = 'a' AND pts > 1 LIMIT 3;")
    assert plan.accepts(Row(("a",), ("Ann", 2), 0))
    assert not plan.accepts(Row(("a",), ("Ann", 1), 0))
    assert not plan.accepts(Row(("b",), ("Ann", 2), 0))
    assert plan.limit == 3


def test_windows_are_keys_and_may_be_compared_with_text(pull: Callable[[str], PullPlan]) -> None:
    plan = pull("SELECT * FROM per_minute WHERE id = 'a' AND WINDOWSTART >= '1970-01-01T00:01:00';")
    assert [(column.name, column.is_key) for column in plan.columns] == [
        ("ID", True),
        ("WINDOWSTART", True),
        ("WINDOWEND", True),
        ("N", False),
    ]
    row = Row(("a",), (5,), 61_000, (60_000, 120_000))
    assert plan.accepts(row)
    assert not plan.accepts(row._replace(window=(0, 60_000)))
    assert plan.project(row) == ("a", 60_000, 120_000, 5)


def test_expressions_are_named_and_typed(pull: Callable[[str], PullPlan]) -> None:
    plan = pull("SELECT pts * 2 AS twice, UCASE(name), id FROM users;")
    assert [(column.name, str(column.type), column.is_key) for column in plan.columns] == [
        ("TWICE", "INTEGER", False),
        ("KSQL_COL_0", "STRING", False),
        ("ID", "STRING", True),
    ]
    assert plan.project(Row(("a",), ("Ann", 2), 0)) == (4, "ANN", "a")


def test_a_stream_is_read_to_its_end(pull: Callable[[str], PullPlan]) -> None:
    plan = pull("SELECT id, v FROM ev WHERE v > 1 LIMIT 2;")
    assert plan.stream is not None
    assert plan.stream.topic is None
    assert [column.name for column in plan.columns] == ["ID", "V"]
    assert plan.limit == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT nope FROM users;", "Line: 1, Col: 8: SELECT column 'NOPE' cannot be resolved."),
        ("SELECT * FROM nope;", "Exception while preparing statement: NOPE does not exist."),
        (
            "SELECT pts, COUNT(*) FROM users GROUP BY pts;",
            (
                "Pull queries don't support GROUP BY clauses. See https://cnfl.io/queries for more info.\n"
                "Add EMIT CHANGES if you intended to issue a push query."
            ),
        ),
        (
            "SELECT * FROM users JOIN per_minute ON users.id = per_minute.id;",
            (
                "Can not join windowed source to non-windowed source.\n"
                "`USERS` is not windowed\n`PER_MINUTE` is TUMBLING windowed"
            ),
        ),
        (
            "SELECT id, ROWPARTITION FROM users;",
            "Pull queries don't support the following columns in SELECT clauses: `ROWP",
        ),
        (
            "SELECT id FROM ev WHERE ROWOFFSET > 1;",
            "Pull queries don't support the following columns in WHERE clauses: `ROWO",
        ),
        ("SELECT id, NULL FROM users;", "Can't infer a type of null."),
        ("SELECT * FROM users WHERE pts = 'x';", "Error in WHERE expression: Cannot compare PTS (INTEGER)"),
    ],
)
def test_what_a_pull_query_cannot_do(pull: Callable[[str], PullPlan], text: str, message: str) -> None:
    with pytest.raises(StatementError) as caught:
        pull(text)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("name IS NULL", "Unsupported expression in WHERE clause: (NAME IS NULL). "),
        ("id = 'a' AND NOT (pts = 1)", "Unsupported expression in WHERE clause: (NOT (PTS = 1)). "),
        ("id NOT IN ('a', 'b')", "Unsupported expression in WHERE clause: (NOT (ID = 'a')). "),
        ("true", "Unsupported expression in WHERE clause: true. "),
        ("id IN ('a', 5)", "'5' can not be converted to the type of the key column: ID STRING KEY"),
        ("id IN ('a', null)", "Primary key columns can not be NULL: (ID = null)"),
        ("pts LIKE '1%'", "The column type for Like condition must be VARCHAR. The column type is INTEGER. "),
        ("name LIKE id", "Like condition on non-string pattern "),
        ("pts BETWEEN 1 AND 'x'", "Invalid expression: Cannot compare PTS (INTEGER) to 'x' (STRING)"),
    ],
)
def test_conditions_are_comparisons_and_like_only(pull: Callable[[str], PullPlan], where: str, message: str) -> None:
    with pytest.raises(StatementError) as caught:
        pull(f"SELECT * FROM users WHERE {where};")
    assert caught.value.message.startswith(message)


def test_what_follows_an_alternative_that_takes_a_scan_is_not_inspected(pull: Callable[[str], PullPlan]) -> None:
    plan = pull("SELECT * FROM users WHERE pts = 1 OR name IS NULL;")
    assert plan.accepts(Row(("a",), (None, 2), 0))
    assert not plan.accepts(Row(("a",), ("Ann", 2), 0))


def test_not_before_like_is_lost(pull: Callable[[str], PullPlan]) -> None:
    assert pull("SELECT * FROM users WHERE name NOT LIKE 'A%';").accepts(Row(("a",), ("Ann", 2), 0))


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ("WINDOWSTART > 1 AND WINDOWSTART > 2", "Duplicate `WINDOWSTART` bounds on: GREATER_THAN. "),
        ("WINDOWEND = 1 AND WINDOWEND < 2", "`(WINDOWEND < 2)` cannot be combined with other `WINDOWEND` bounds. "),
        ("WINDOWSTART <> 1", "Unsupported `WINDOWSTART` bounds: NOT_EQUAL. "),
        ("WINDOWSTART > 1.5", "Window bounds must resolve to an INT, BIGINT, or STRING containing a datetime.. "),
    ],
)
def test_bounds_of_windows_are_one_range(pull: Callable[[str], PullPlan], bounds: str, message: str) -> None:
    with pytest.raises(StatementError) as caught:
        pull(f"SELECT * FROM per_minute WHERE id = 'a' AND {bounds};")
    assert caught.value.message.startswith(message)
    assert caught.value.message.endswith(
        "\n\t Supported operators are [EQUAL, GREATER_THAN, GREATER_THAN_OR_EQUAL, LESS_THAN, LESS_THAN_OR_EQUAL]"
        "\nIf more flexible queries are needed, , table scans can be enabled by setting"
        " ksql.query.pull.table.scan.enabled=true."
    )


def test_limits_are_whole_and_columns_differ(pull: Callable[[str], PullPlan]) -> None:
    for text, message in (
        ("SELECT * FROM users LIMIT -1;", "Pull queries don't support negative integers in the LIMIT clause. See"),
        ("SELECT * FROM users LIMIT 2.5;", "Failed to prepare statement: Value must be integer for command: LIMIT"),
        (
            "CREATE TABLE o AS SELECT * FROM users LIMIT 2;",
            "Failed to prepare statement: CREATE TABLE AS SELECT statements don't support LIMIT clause.",
        ),
        ("SELECT pts, pts FROM users;", "Duplicate value columns found in schema: `PTS` INTEGER"),
    ):
        with pytest.raises(StatementError) as caught:
            pull(text)
        assert caught.value.message.startswith(message)


def test_half_a_day_may_end_at_24(pull: Callable[[str], PullPlan]) -> None:
    plan = pull("SELECT * FROM per_minute WHERE id = 'a' AND WINDOWSTART < '1970-01-01T24';")
    assert plan.accepts(Row(("a",), (5,), 0, (86_340_000, 86_400_000)))
    assert not plan.accepts(Row(("a",), (5,), 0, (86_400_000, 86_460_000)))
