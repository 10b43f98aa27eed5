"""Scripts of sql/: each may run any number of times; what may not is a migration."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.check.finding import Finding, finding_of
from pipeline.declared.project import Project
from pipeline.declared.sql import Migration, SqlFile
from pipeline.declared.tables import SqlStatement, Table, read_statements, read_tables
from pipeline.declared.transactions import own_transactions
from pipeline.errors import DeclarationError

_REPLACEABLE = frozenset({"FUNCTION", "PROCEDURE", "VIEW", "TRIGGER", "AGGREGATE", "RULE"})
_CONDITIONAL = frozenset({"TABLE", "INDEX", "SEQUENCE", "SCHEMA", "EXTENSION"})
_MIGRATE = "make it a migration: sql/migrations/NNNN_what.sql"
# ADD or DROP of a column, constraint or value, unless told what to do where it is, or is not, there.
_ONCE = re.compile(r"\bADD (?!(?:COLUMN |VALUE )?IF NOT EXISTS)|\bDROP (?!(?:\w+ )?IF EXISTS|NOT NULL|DEFAULT)")
_OUTSIDE_TRANSACTIONS = frozenset({"CONCURRENTLY", "VACUUM"})
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
            reading.findings.extend(map(finding_of, own_transactions(script)))
            statements = read_statements(script)
        except DeclarationError as error:
            reading.findings.append(Finding(script.path, error.line, error.reason))
            continue
        reading.findings.extend(_outside_transactions(script, statements))
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
            fix = _create(words)
        case "DROP" if "IF EXISTS" not in joined:
            fix = "write IF EXISTS"
        case "ALTER":
            fix = _alter(joined)
        case "INSERT" if "ON CONFLICT" not in joined:
            fix = "write ON CONFLICT DO NOTHING, or make it a migration"
        case "UPDATE" | "DELETE" | "TRUNCATE":
            fix = _MIGRATE
    return fix


def _create(words: tuple[str, ...]) -> str:
    if _REPLACEABLE.intersection(words[1:4]):
        return "write CREATE OR REPLACE"
    return "write IF NOT EXISTS" if _CONDITIONAL.intersection(words[1:4]) else _MIGRATE


def _alter(statement: str) -> str | None:
    """Say how to repair an ALTER; one that only sets something does the same every time."""
    if "RENAME" in statement or _ONCE.search(statement):
        return f"write IF [NOT] EXISTS, or {_MIGRATE}"
    return None


def _outside_transactions(script: SqlFile | Migration, statements: list[SqlStatement]) -> Iterator[Finding]:
    for statement in statements:
        outside = _OUTSIDE_TRANSACTIONS.intersection(statement.words[:4])
        if outside:
            what = f"{statement.words[0]} {'CONCURRENTLY ' if 'CONCURRENTLY' in outside else ''}does not belong here"
            why = "each file runs in one transaction, so that it happens altogether or not at all"
            yield Finding(script.path, statement.line, what, why, "remove it")
