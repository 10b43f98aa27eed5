"""What the repository's migrations make of tables as they were before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from pipeline.declared.project import read_project
from pipeline.deploy.tables import run_script
from tests.conftest import ROOT, Stack
from tests.databases import new_database

BEFORE_0001 = """
CREATE TABLE verified_topics (
    topic text NOT NULL, partition integer NOT NULL, topic_id text NOT NULL, first_offset bigint NOT NULL,
    next_offset bigint NOT NULL CHECK (next_offset >= first_offset), PRIMARY KEY (topic, partition)
);
CREATE TABLE verified_rows (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), before xid8, columns text, newest timestamptz
);
INSERT INTO verified_topics VALUES ('user-events', 0, 'id', 3, 70), ('user-events', 1, 'id', 0, 0);
INSERT INTO verified_rows VALUES (true, '100', 'a text', '2026-01-01');
"""
SHAPE = """
SELECT 'column', table_name, column_name, data_type || is_nullable || coalesce(column_default, '')
FROM information_schema.columns WHERE table_name IN ('verified_topics', 'verified_rows')
UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE conrelid::regclass::text IN ('verified_topics', 'verified_rows')
ORDER BY 1, 2, 3
"""


@contextmanager
def empty(stack: Stack) -> Iterator[psycopg.Connection]:
    """Yield a connection to an empty database."""
    with new_database(stack) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


def test_what_verify_has_read_stays_and_is_compared_once_more(stack: Stack) -> None:
    project = read_project(ROOT)
    (migration,) = (one for one in project.migrations if one.name == "0001_verify_what_changed")
    with empty(stack) as fresh:
        for script in project.sql:
            run_script(fresh, script)
        declared = fresh.execute(SHAPE).fetchall()
    with empty(stack) as connection:
        connection.execute(BEFORE_0001)
        connection.execute(migration.text.encode())
        for script in project.sql:
            run_script(connection, script)
        assert connection.execute(SHAPE).fetchall() == declared
        topics = "SELECT partition, first_offset, next_offset, accounted_offset, unread FROM verified_topics ORDER BY 1"
        assert connection.execute(topics).fetchall() == [(0, 3, 70, 3, 0), (1, 0, 0, 0, 0)]
        assert connection.execute("SELECT before, columns FROM verified_rows").fetchall() == [(None, "a text")]


def test_a_database_without_these_tables_is_left_to_what_declares_them(stack: Stack) -> None:
    with empty(stack) as connection:
        for migration in read_project(ROOT).migrations:
            connection.execute(migration.text.encode())
        assert connection.execute("SELECT to_regclass('verified_topics')").fetchone() == (None,)
