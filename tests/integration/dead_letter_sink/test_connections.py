"""How the dead letter sink connects: it waits for a database that lets nobody in, and keeps a session that works."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import sql

from pipeline.waiting import wait_until
from tests.conftest import Stack
from tests.integration.dead_letter_sink.sink import DELEGATES, WAIT_SECONDS, Sink, row

KEY_OF_THE_RECORD = {
    "primary.key.mode": "record_key",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "transforms": "k",
    "transforms.k.type": "org.apache.kafka.connect.transforms.HoistField$Key",
    "transforms.k.field": "id",
}


@pytest.fixture
def with_role(stack: Stack) -> Iterator[Sink]:
    """A sink with a role of its own, which may connect because everybody may."""
    sink = Sink(stack, DELEGATES["copy"])
    sink.settings |= {"connection.username": sink.name, "connection.password": "secret"}
    sink.execute("CREATE ROLE {} LOGIN PASSWORD 'secret'")
    sink.create()
    with sink.connect() as connection:
        connection.execute(sql.SQL("GRANT SELECT, INSERT, UPDATE ON {0} TO {0}").format(sql.Identifier(sink.name)))
    yield sink
    sink.delete()


@pytest.fixture
def by_record_key(stack: Stack) -> Iterator[Sink]:
    """A sink whose rows have their id in the record's key, and in its value as well."""
    sink = Sink(stack, DELEGATES["copy"], settings=KEY_OF_THE_RECORD)
    sink.create()
    yield sink
    sink.delete()


def test_a_role_that_may_not_connect_is_waited_for_without_dead_letters(with_role: Sink) -> None:
    with_role.produce([row(1)])
    with_role.await_ids({1})
    with with_role.connect() as connection:
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(database))
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (with_role.name,)
            )
            with_role.produce([row(2), row(3)])
            wait_until(
                lambda: with_role.metrics()["retried"] > 1, awaiting="two attempts", timeout_seconds=WAIT_SECONDS
            )
        finally:
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO PUBLIC").format(database))
    with_role.await_ids({1, 2, 3})
    assert with_role.dead_letters(0) == []
    assert [task["state"] for task in with_role.status()["tasks"]] == ["RUNNING"]


def test_bad_rows_whose_key_is_in_their_value_too_cost_no_session_while_more_of_them_are_expected(
    by_record_key: Sink,
) -> None:
    by_record_key.produce([row(1), row(2, quantity=-1), row(3)])
    by_record_key.await_ids({1, 3})
    session = writing_session(by_record_key)
    by_record_key.produce([row(4), row(5, quantity=-1), row(6)])
    by_record_key.await_ids({1, 3, 4, 6})
    assert writing_session(by_record_key) == session
    assert sorted(letter["row"]["id"] for letter in by_record_key.dead_letters(2)) == [2, 5]


def writing_session(sink: Sink) -> int:
    """Return the process that serves the session in which the sink writes."""
    with sink.connect() as connection:
        ((process,),) = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name = 'copy-sink' AND query LIKE %s",
            (f"%{sink.name}%",),
        ).fetchall()
    return int(process)
