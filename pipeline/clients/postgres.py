"""PostgreSQL: one connection, errors without the password."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from access.tls import POSTGRES_REQUEST, why_not_verified
from pipeline.errors import RejectedError, SettingsError, UnreachableError

_CONNECT_TIMEOUT_SECONDS = 10
_ADVICE = "Either provide the file"  # the line that libpq adds to a missing file of authorities


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
        message = (
            f"PostgreSQL at {where} cannot be used: {_reason(error, parts)}. Its address is PIPELINE_POSTGRES_DSN."
        )
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


def table_exists(connection: psycopg.Connection, table: str) -> bool:
    """Whether a table of this name is there; ``schema.table``, or as search_path finds it."""
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return bool(row and row[0])


def _reason(error: psycopg.OperationalError, parts: Mapping[str, Any]) -> str:
    """Return why a connection failed, on one line; of a certificate libpq only says that it is not verified."""
    lines = [line for line in str(error).strip().splitlines() if not line.startswith(_ADVICE)]
    if "certificate verify failed" not in lines[-1]:
        return lines[-1]
    host, port = str(parts.get("host", "localhost")), int(parts.get("port", 5432))
    wrong = why_not_verified(host, port, parts.get("sslrootcert"), POSTGRES_REQUEST)
    return f"its certificate is not accepted: {wrong}; the CA is trusted by sslrootcert" if wrong else lines[-1]
