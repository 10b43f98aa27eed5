"""The tables state the truth: what PostgreSQL accepts, refuses and computes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql

from pipeline.declared.project import read_project
from pipeline.deploy.tables import run_script
from tests.conftest import ROOT, Stack

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def connection(stack: Stack) -> Iterator[psycopg.Connection]:
    """A connection with all tables in place, whose changes are undone."""
    with psycopg.connect(stack.postgres_dsn, autocommit=True) as deploying:
        for script in read_project(ROOT).sql:
            run_script(deploying, script)
    with psycopg.connect(stack.postgres_dsn) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    ("idle", "risk"),
    [
        (timedelta(days=-1), 0),
        (timedelta(0), 0),
        (timedelta(days=14), 0.5),
        (timedelta(days=28), 0.75),
        (timedelta(days=3650), 1),
    ],
)
def test_churn_risk_halves_the_rest_every_fourteen_idle_days(
    connection: psycopg.Connection, idle: timedelta, risk: float
) -> None:
    row = connection.execute("SELECT churn_risk(%s, %s)", (NOW - idle, NOW)).fetchone()
    assert row is not None
    assert float(row[0]) == risk


def stats(connection: psycopg.Connection, total_events: int, last_active: datetime) -> int:
    connection.execute(
        "INSERT INTO user_stats (user_id, total_events, total_purchases, total_spent, last_active, "
        "avg_session_seconds, engagement_score) VALUES ('u', %(n)s, 0, 0, %(at)s, 0, 0) "
        "ON CONFLICT (user_id) DO UPDATE SET total_events = excluded.total_events, last_active = excluded.last_active",
        {"n": total_events, "at": last_active},
    )
    row = connection.execute("SELECT total_events FROM user_stats WHERE user_id = 'u'").fetchone()
    assert row is not None
    return int(row[0])


def test_user_stats_never_goes_back_to_what_it_was(connection: psycopg.Connection) -> None:
    assert stats(connection, 5, NOW) == 5
    assert stats(connection, 4, NOW) == 5
    assert stats(connection, 6, NOW - timedelta(seconds=1)) == 5
    assert stats(connection, 6, NOW) == 6
    assert stats(connection, 7, NOW + timedelta(seconds=1)) == 7


EVENT = {
    "event_id": "0b5c0c0e-5a3b-4c9b-8a55-0d6f0f0e0f01",
    "user_id": "u",
    "session_id": "s",
    "event_type": "login",
    "occurred_at": NOW,
    "device": "web",
}


def insert(connection: psycopg.Connection, **changes: object) -> None:
    event = {**EVENT, **changes}
    columns = sql.SQL(", ").join(map(sql.Identifier, event))
    values = sql.SQL(", ").join(map(sql.Placeholder, event))
    connection.execute(sql.SQL("INSERT INTO user_events ({}) VALUES ({})").format(columns, values), event)


def test_a_plain_event_is_accepted(connection: psycopg.Connection) -> None:
    insert(connection, metadata='{"a": 1}', country="DE", watched_percent=100, duration_seconds=0)


@pytest.mark.parametrize(
    "changes",
    [
        {"event_type": "dance"},
        {"device": "fridge"},
        {"country": "Germany"},
        {"watched_percent": 101},
        {"duration_seconds": -1},
        {"metadata": "[1]"},
        {"event_type": "purchase"},
        {"event_type": "purchase", "amount": 0, "currency": "USD"},
        {"event_type": "purchase", "amount": 1, "currency": "dollars"},
        {"occurred_at": datetime.now(UTC) + timedelta(hours=2)},
        {"user_id": ""},
    ],
    ids=",".join,
)
def test_an_event_that_cannot_be_true_is_refused(connection: psycopg.Connection, changes: dict[str, object]) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        insert(connection, **changes)
