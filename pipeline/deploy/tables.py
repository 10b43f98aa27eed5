"""Migrations and tables: each script in a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from pipeline.declared.sql import Migration, SqlFile
from pipeline.deploy.step import Step
from pipeline.errors import DeclarationError
from pipeline.plan.change import Change
from pipeline.plan.deployed import Recorded
from pipeline.plan.trial import explain


def deploy_migrations(step: Step, *, fresh: bool) -> Iterator[Change]:
    """Yield each migration when it has run; in a ``fresh`` database it is recorded as not needed."""
    declared = {migration.name: migration for migration in step.project.migrations}
    for change in step.changes:
        migration = declared[change.name]
        with step.connection.transaction():
            if not fresh:
                run_script(step.connection, migration)
            step.record.migrated(migration, ran=not fresh)
        yield change


def deploy_tables(step: Step) -> Iterator[Change]:
    """Yield each script when it has run. Raises DeclarationError with PostgreSQL's reason and the line."""
    declared = {script.name: script for script in step.project.sql}
    for change in step.changes:
        script = declared[change.name]
        run_script(step.connection, script)
        recorded = Recorded(str(script.path), script.text)
        step.record.deployed(change.identity, recorded, created=change.action == "create")
        yield change


def run_script(connection: psycopg.Connection, script: SqlFile | Migration) -> None:
    """Run a script in a transaction. Raises DeclarationError."""
    try:
        with connection.transaction():
            connection.execute(script.text.encode())
    except psycopg.Error as error:
        if connection.broken:
            raise
        raise DeclarationError(explain(script, error)) from error
