"""Databases of a test's own, in a stack's server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from tests.conftest import Stack


@contextmanager
def new_database(stack: Stack) -> Iterator[str]:
    """Create an empty database and return its DSN; drop it in the end."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(stack.postgres_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_conninfo(stack.postgres_dsn, dbname=name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
