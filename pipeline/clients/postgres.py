"""PostgreSQL: one connection, errors without the password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from pipeline.errors import RejectedError, SettingsError, UnreachableError

_CONNECT_TIMEOUT_SECONDS = 10


@contextmanager
def connect(dsn: SecretStr, *, autocommit: bool = False) -> Iterator[psycopg.Connection]:
    """Open a connection; commit at the end, roll back on an error.

    Raises SettingsError for a malformed DSN, UnreachableError, and RejectedError for what the server refuses.
    """
    try:
        parts = conninfo_to_dict(dsn.get_secret_value())
    except psycopg.ProgrammingError as error:
        message = "PIPELINE_POSTGRES_DSN is not a libpq URI (postgresql://user:password@host:port/database)"
        raise SettingsError(message) from error
    where = f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"
    try:
        connection = psycopg.connect(
            dsn.get_secret_value(), autocommit=autocommit, connect_timeout=_CONNECT_TIMEOUT_SECONDS
        )
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        message = f"PostgreSQL at {where} cannot be used: {reason}. Its address is PIPELINE_POSTGRES_DSN."
        raise UnreachableError(message) from error
    try:
        with connection:
            yield connection
    except psycopg.OperationalError as error:
        message = f"PostgreSQL at {where} went away: {str(error).strip().splitlines()[0]}"
        raise UnreachableError(message) from error
    except psycopg.Error as error:
        message = f"PostgreSQL at {where} refused: {str(error).strip().splitlines()[0]}"
        raise RejectedError(message) from error
