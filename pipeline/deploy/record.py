"""The record of what was deployed: table deployed_files."""

from __future__ import annotations

import getpass
import hashlib

import psycopg


def last_deployed_sha256(connection: psycopg.Connection, path: str) -> str | None:
    """Return the hash of the version of a file that was deployed last, or None."""
    row = connection.execute(
        "SELECT sha256 FROM deployed_files WHERE path = %s ORDER BY deployed_at DESC LIMIT 1", (path,)
    ).fetchone()
    return str(row[0]) if row else None


def record_deployment(connection: psycopg.Connection, path: str, content: str) -> None:
    """Remember that this version of a file was deployed now, by the OS user."""
    connection.execute(
        "INSERT INTO deployed_files (path, sha256, content, deployed_by) VALUES (%s, %s, %s, %s)",
        (path, sha256(content), content, getpass.getuser()),
    )


def sha256(content: str) -> str:
    """Return the hash under which a file's text is recorded."""
    return hashlib.sha256(content.encode()).hexdigest()
