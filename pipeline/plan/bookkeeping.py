"""What was deployed before, as `pipeline deploy` recorded it in PostgreSQL, schema ``deployment``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import class_row

from pipeline.declared.files import Files
from pipeline.plan.change import Identity
from pipeline.plan.deployed import Recorded

SCHEMA = "deployment"


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment; ``outcome`` is deployed, failed, or None while it runs or if it was killed."""

    id: int
    began_at: datetime
    os_user: str
    sha256: str
    outcome: str | None


def exists(connection: psycopg.Connection) -> bool:
    """Whether anything was ever deployed to this database."""
    row = connection.execute("SELECT to_regclass('deployment.objects') IS NOT NULL").fetchone()
    return bool(row and row[0])


def read_recorded(connection: psycopg.Connection) -> dict[Identity, Recorded]:
    """Return what was deployed last of every object that this project still owns."""
    rows = connection.execute(
        "SELECT kind, name, path, content, observed, created FROM deployment.objects ORDER BY deployment, path, name"
    )
    return {Identity(kind, name): Recorded(*record) for kind, name, *record in rows}


def read_migrations(connection: psycopg.Connection) -> dict[str, str]:
    """Return the migrations that have run, with their checksums."""
    return dict(connection.execute("SELECT name, sha256 FROM deployment.migrations").fetchall())


def read_history(connection: psycopg.Connection) -> list[Deployment]:
    """Return the deployments, newest first."""
    with connection.cursor(row_factory=class_row(Deployment)) as cursor:
        query = "SELECT id, began_at, os_user, sha256, outcome FROM deployment.history ORDER BY id DESC"
        return cursor.execute(query).fetchall()


def read_files_of(connection: psycopg.Connection, deployment: int) -> Files:
    """Return the declarations that a deployment deployed."""
    row = connection.execute("SELECT files FROM deployment.history WHERE id = %s", (deployment,)).fetchone()
    texts: dict[str, Any] = row[0] if row else {}
    return Files({Path(path): str(text) for path, text in texts.items()})
