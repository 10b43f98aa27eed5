"""Every check, over every file; nothing is asked of a server."""

from __future__ import annotations

from pipeline.check.acls import check_acls
from pipeline.check.compatibility import check_compatibility
from pipeline.check.connectors import check_connectors
from pipeline.check.fields import Fields
from pipeline.check.finding import Finding, finding_of
from pipeline.check.ksql import check_ksql
from pipeline.check.sinks import check_sinks
from pipeline.check.sql import check_sql
from pipeline.check.topics import check_topics
from pipeline.declared.files import Files
from pipeline.declared.project import parse_all


def check(files: Files, against: Files | None = None) -> list[Finding]:
    """Return everything that is wrong, in order of file and line.

    ``against`` are the files of an earlier version: schemas must be able to read what its schemas wrote.
    """
    project, errors = parse_all(files)
    fields = Fields(project)
    sql = check_sql(project)
    findings = [
        *map(finding_of, errors),
        *sql.findings,
        *check_connectors(project.connectors),
        *check_topics(project),
        *check_acls(project),
        *check_ksql(project, fields),
        *check_sinks(project.connectors, sql.tables, fields),
    ]
    if against is not None:
        earlier, _ = parse_all(against)
        findings.extend(check_compatibility(project.schemas, earlier.schemas))
    return sorted(set(findings))
