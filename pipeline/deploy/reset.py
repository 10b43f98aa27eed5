"""Beginning anew: a database without tables."""

from __future__ import annotations

import psycopg

from pipeline.plan import bookkeeping


def reset_database(connection: psycopg.Connection) -> None:
    """Drop the schema public with all that is in it, and forget that its tables were deployed; all or nothing."""
    with connection.transaction():
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
        if bookkeeping.exists(connection):
            connection.execute("DELETE FROM deployment.migrations")
            connection.execute("DELETE FROM deployment.objects WHERE kind = 'table'")
