"""Tables: idempotent scripts, run in order, and whether they changed anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg

from pipeline.declared.sql import SqlFile
from pipeline.deploy.change import Change
from pipeline.errors import DeclarationError

# Every object that a script can define, as text; functions by their source, the others by PostgreSQL's own rendering.
_CATALOG = """
SELECT 'column ' || attrelid::regclass || '.' || attname,
       format_type(atttypid, atttypmod) || attnotnull || coalesce(pg_get_expr(adbin, adrelid), '')
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL
SELECT 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid)
  FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT 'trigger ' || tgrelid::regclass || '.' || tgname, pg_get_triggerdef(pg_trigger.oid)
  FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
 WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal
UNION ALL
SELECT 'view ' || oid::regclass, pg_get_viewdef(oid)
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
UNION ALL
SELECT 'function ' || oid::regprocedure, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
"""


def deploy_tables(connection: psycopg.Connection, scripts: Sequence[SqlFile]) -> Iterator[Change]:
    """Run each script in a transaction of its own and yield what it changed.

    Raises DeclarationError with PostgreSQL's reason and the line where a script is refused.
    """
    before = _catalog(connection)
    for script in scripts:
        _run(connection, script)
        after = _catalog(connection)
        yield _change(script.name, before, after)
        before = after


def _catalog(connection: psycopg.Connection) -> dict[str, str]:
    return {str(name): str(definition) for name, definition in connection.execute(_CATALOG)}


def _run(connection: psycopg.Connection, script: SqlFile) -> None:
    try:
        with connection.transaction():
            connection.execute(script.text.encode())
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        position = error.diag.statement_position
        line = script.text[: int(position)].count("\n") + 1 if position else 1
        message = f"{script.path}:{line}: {error.diag.message_primary or error}"
        raise DeclarationError(message) from error


def _change(name: str, before: dict[str, str], after: dict[str, str]) -> Change:
    changed = sorted(item for item in before.keys() | after.keys() if before.get(item) != after.get(item))
    if not changed:
        return Change("table", name, "unchanged")
    if not any(item.startswith(f"column {name}.") for item in before):
        return Change("table", name, "created")
    return Change("table", name, "updated", ", ".join(changed))
