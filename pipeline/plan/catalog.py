"""PostgreSQL's catalog as text: every object that a script can define, each by PostgreSQL's own rendering."""

from __future__ import annotations

import psycopg
from psycopg import sql

from pipeline.plan.deployed import Catalog

# %(schema)s is also first in the search path, so that names within it are not qualified.
_CATALOG = """
SELECT 'table ' || oid::regclass, relpersistence::text
  FROM pg_class WHERE relnamespace = %(schema)s::regnamespace AND relkind IN ('r', 'p')
UNION ALL
SELECT 'column ' || attrelid::regclass || '.' || attname,
       format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
           || coalesce(' DEFAULT ' || pg_get_expr(adbin, adrelid), '')
           || CASE attidentity WHEN '' THEN '' ELSE ' IDENTITY' END
  FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
  LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
 WHERE relnamespace = %(schema)s::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
UNION ALL
SELECT 'constraint ' || conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
  FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace AND conrelid <> 0
UNION ALL
SELECT 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid)
  FROM pg_index JOIN pg_class ON pg_class.oid = indrelid WHERE relnamespace = %(schema)s::regnamespace
UNION ALL
SELECT 'trigger ' || tgrelid::regclass || '.' || tgname, pg_get_triggerdef(pg_trigger.oid)
  FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
 WHERE relnamespace = %(schema)s::regnamespace AND NOT tgisinternal
UNION ALL
SELECT 'view ' || oid::regclass, pg_get_viewdef(oid)
  FROM pg_class WHERE relnamespace = %(schema)s::regnamespace AND relkind IN ('v', 'm')
UNION ALL
SELECT 'function ' || pg_proc.oid::regprocedure, pg_get_functiondef(pg_proc.oid)
  FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace AND prokind IN ('f', 'p')
   AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
UNION ALL
SELECT 'comment ' || objoid::regclass || coalesce('.' || attname, ''), description
  FROM pg_description JOIN pg_class ON pg_class.oid = objoid AND classoid = 'pg_class'::regclass
  LEFT JOIN pg_attribute ON attrelid = objoid AND attnum = objsubid AND objsubid > 0
 WHERE relnamespace = %(schema)s::regnamespace
"""


def read_catalog(connection: psycopg.Connection, schema: str = "public") -> Catalog:
    """Return every object of a schema; must be called within a transaction, and leaves the schema in its path."""
    set_path(connection, schema)
    rows = connection.execute(_CATALOG, {"schema": schema})
    return {str(name).replace(f"{schema}.", ""): str(text).replace(f"{schema}.", "") for name, text in rows}


def set_path(connection: psycopg.Connection, schema: str) -> None:
    """Look for names in a schema first, for the rest of the transaction; what extensions put into public is found."""
    path = sql.SQL(", ").join(map(sql.Identifier, dict.fromkeys((schema, "public"))))
    connection.execute(sql.SQL("SET LOCAL search_path = {}").format(path))
