"""Scripts of sql/: each may run any number of times; what may not is a migration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from pipeline.check.finding import Finding
from pipeline.declared.project import Project
from pipeline.declared.sql import Migration, SqlFile
from pipeline.declared.tables import SqlStatement, Table, read_statements, read_tables
from pipeline.errors import DeclarationError

_REPLACEABLE = frozenset({"FUNCTION", "PROCEDURE", "VIEW", "TRIGGER", "AGGREGATE", "RULE"})
_OUTSIDE_TRANSACTIONS = frozenset({"CONCURRENTLY", "VACUUM"})
_OWN_TRANSACTIONS = frozenset({"BEGIN", "COMMIT", "ROLLBACK", "START"})
_WHY = "deploy runs every script again whenever its file changed"


@dataclass(slots=True)
class SqlReading:
    """The tables that the scripts create, by name, and what is wrong with the scripts."""

    tables: dict[str, Table] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def check_sql(project: Project) -> SqlReading:
    """Read every script and migration."""
    reading = SqlReading()
    scripts: list[SqlFile | Migration] = [*project.sql, *project.migrations]
    for script in scripts:
        try:
            statements = read_statements(script)
        except DeclarationError as error:
            reading.findings.append(Finding(script.path, error.line, error.reason))
            continue
        reading.findings.extend(_transactions(script, statements))
        if isinstance(script, SqlFile):
            reading.findings.extend(_not_idempotent(script, statements))
            for table in read_tables(script, statements):
                reading.tables[table.name] = table
    return reading


def _not_idempotent(script: SqlFile, statements: list[SqlStatement]) -> Iterator[Finding]:
    for statement in statements:
        fix = _fix(statement)
        if fix is not None:
            what = f"{' '.join(statement.words[:2])} fails or changes something the second time"
            yield Finding(script.path, statement.line, what, _WHY, fix)


def _fix(statement: SqlStatement) -> str | None:
    """Return how to make a statement idempotent, None if it is."""
    words = statement.words
    joined = " ".join(words)
    fix: str | None = None
    match words[0]:
        case "CREATE" if "OR REPLACE" not in joined.partition("(")[0] and "IF NOT EXISTS" not in joined:
            fix = "write CREATE OR REPLACE" if _REPLACEABLE.intersection(words[1:4]) else "write IF NOT EXISTS"
        case "DROP" if "IF EXISTS" not in joined:
            fix = "write IF EXISTS"
        case "ALTER":
            fix = _alter(statement)
        case "INSERT" if "ON CONFLICT" not in joined:
            fix = "write ON CONFLICT DO NOTHING, or make it a migration"
        case "UPDATE" | "DELETE" | "TRUNCATE":
            fix = "make it a migration: sql/migrations/NNNN_what.sql"
    return fix


def _alter(statement: SqlStatement) -> str | None:
    tree = statement.tree
    if isinstance(tree, exp.Alter):
        unsafe = [action for action in tree.args["actions"] if not action.args.get("exists")]
        if not unsafe:
            return None
    elif "IF NOT EXISTS" in " ".join(statement.words):
        return None
    return "write IF [NOT] EXISTS, or make it a migration: sql/migrations/NNNN_what.sql"


def _transactions(script: SqlFile | Migration, statements: list[SqlStatement]) -> Iterator[Finding]:
    for statement in statements:
        begins = statement.words[0]
        outside = _OUTSIDE_TRANSACTIONS.intersection(statement.words[:4])
        if begins in _OWN_TRANSACTIONS or outside:
            what = f"{begins} {'CONCURRENTLY ' if 'CONCURRENTLY' in outside else ''}does not belong here"
            why = "each file runs in one transaction, so that it happens altogether or not at all"
            yield Finding(script.path, statement.line, what, why, "remove it")
