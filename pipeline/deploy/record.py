"""The record of what was deployed, in PostgreSQL's schema ``deployment``."""

from __future__ import annotations

import getpass
import json
from importlib.resources import files as resources
from typing import Literal

import psycopg

from pipeline.declared.files import Files
from pipeline.declared.sql import Migration
from pipeline.plan import bookkeeping
from pipeline.plan.change import Identity
from pipeline.plan.deployed import Recorded

_RECORD = """
INSERT INTO deployment.objects AS known (kind, name, path, content, observed, created, deployment)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (kind, name) DO UPDATE SET
    path = excluded.path, content = excluded.content, observed = excluded.observed, deployment = excluded.deployment,
    created = known.created OR excluded.created
"""


class Record:
    """Writes one deployment down while it happens; ``connection`` commits by itself."""

    def __init__(self, connection: psycopg.Connection, files: Files) -> None:
        if not bookkeeping.exists(connection):
            connection.execute(resources("pipeline.deploy").joinpath("bookkeeping.sql").read_bytes())
        texts = {path.as_posix(): text for path, text in files.texts.items()}
        row = connection.execute(
            "INSERT INTO deployment.history (os_user, sha256, files) VALUES (%s, %s, %s) RETURNING id",
            (getpass.getuser(), files.sha256, json.dumps(texts)),
        ).fetchone()
        assert row is not None  # noqa: S101 - INSERT … RETURNING gives its row
        self._id = int(row[0])
        self._connection = connection

    def deployed(self, identity: Identity, declaration: Recorded, *, created: bool) -> None:
        """Remember an object as it is now."""
        values = (*identity, declaration.path, declaration.content, declaration.observed, created, self._id)
        self._connection.execute(_RECORD, values)

    def migrated(self, migration: Migration, *, ran: bool) -> None:
        """Remember a migration; within the transaction in which it runs."""
        self._connection.execute(
            "INSERT INTO deployment.migrations (name, sha256, ran, os_user) VALUES (%s, %s, %s, %s)",
            (migration.name, migration.sha256, ran, getpass.getuser()),
        )

    def deleted(self, identity: Identity) -> None:
        """Forget an object."""
        self._connection.execute("DELETE FROM deployment.objects WHERE kind = %s AND name = %s", identity)

    def ended(self, outcome: Literal["deployed", "failed"]) -> None:
        """Close the deployment."""
        self._connection.execute(
            "UPDATE deployment.history SET ended_at = now(), outcome = %s WHERE id = %s", (outcome, self._id)
        )
