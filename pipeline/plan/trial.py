"""Scripts tried out in PostgreSQL, in a transaction that is rolled back.

What the scripts declare is built in an empty schema, where it disturbs nobody. Only pending migrations, and scripts
whose objects differ, are tried on the tables themselves; those wait for locks two seconds, and run for ten, at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import sql

from pipeline.declared.sql import Migration, SqlFile
from pipeline.errors import RejectedError
from pipeline.plan.catalog import read_catalog, set_path
from pipeline.plan.change import Identity
from pipeline.plan.deployed import Catalog, DeployedSql

_TRIAL = "pipeline_trial"
_LIMITS = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '10s'"


def try_out(
    connection: psycopg.Connection, migrations: Sequence[Migration], scripts: Sequence[SqlFile], ran: Mapping[str, str]
) -> DeployedSql:
    """Return what is in the database, what the scripts declare, and what running them would leave behind.

    Raises RejectedError where another session keeps even the catalog from being read.
    """
    try:
        return _try_out(connection, migrations, scripts, ran)
    except psycopg.errors.LockNotAvailable as error:
        message = "PostgreSQL: another session holds an exclusive lock on a table or view; try again when it has ended"
        raise RejectedError(message) from error


def _try_out(
    connection: psycopg.Connection, migrations: Sequence[Migration], scripts: Sequence[SqlFile], ran: Mapping[str, str]
) -> DeployedSql:
    with connection.transaction(force_rollback=True):
        connection.execute(_LIMITS)
        refusals: dict[Identity, str] = {}
        before = read_catalog(connection)
        declared = _declare(connection, scripts, refusals)
        is_fresh = not ran and not any(
            key.startswith("table ") and key in before for catalog in declared.values() for key in catalog
        )
        set_path(connection, "public")
        pending = [] if is_fresh else [migration for migration in migrations if migration.name not in ran]
        took_too_long = False
        for migration in pending:
            identity = Identity("migration", migration.name)
            took_too_long = took_too_long or not _run(connection, identity, migration, refusals)
        migrated = read_catalog(connection) if pending else before
        for script in scripts:
            differs = any(migrated.get(key) != value for key, value in declared[script.name].items())
            if differs and not took_too_long and Identity("table", script.name) not in refusals:
                _run(connection, Identity("table", script.name), script, refusals)
        after = read_catalog(connection)
    return DeployedSql(before, migrated, after, declared, refusals, ran, is_fresh, took_too_long)


def _declare(
    connection: psycopg.Connection, scripts: Sequence[SqlFile], refusals: dict[Identity, str]
) -> dict[str, Catalog]:
    """Return the objects that each script makes in an empty schema; one that two scripts touch is the last one's."""
    owners: dict[str, str] = {}
    with connection.transaction(force_rollback=True):
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(_TRIAL)))
        catalog = read_catalog(connection, _TRIAL)
        for script in scripts:
            _run(connection, Identity("table", script.name), script, refusals)
            before, catalog = catalog, read_catalog(connection, _TRIAL)
            owners |= {key: script.name for key, value in catalog.items() if before.get(key) != value}
    return {
        script.name: {key: value for key, value in catalog.items() if owners.get(key) == script.name}
        for script in scripts
    }


def _run(
    connection: psycopg.Connection,
    identity: Identity,
    script: SqlFile | Migration,
    refusals: dict[Identity, str],
) -> bool:
    """Run a script, and note why PostgreSQL refuses it; return False if it takes too long to be tried."""
    try:
        with connection.transaction():
            connection.execute(script.text.encode())
    except psycopg.errors.QueryCanceled:
        return False
    except psycopg.Error as error:
        if connection.broken:
            raise
        refusals[identity] = explain(script, error)
    return True


def explain(script: SqlFile | Migration, error: psycopg.Error) -> str:
    """Return PostgreSQL's reason with file and line."""
    position = error.diag.statement_position
    line = script.text[: int(position)].count("\n") + 1 if position else 1
    reason = error.diag.message_primary or str(error)
    if isinstance(error, psycopg.errors.LockNotAvailable):
        reason = "another session holds a lock on its tables; try again"
    return f"{script.path}:{line}: {reason}"
