"""All declarations of a project, read at once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.declared.connectors import Connector, read_connectors
from pipeline.declared.ksql import KsqlObject, read_ksql
from pipeline.declared.schemas import AvroSchema, read_schemas
from pipeline.declared.sql import SqlFile, read_sql
from pipeline.declared.topics import Topic, read_topics


@dataclass(frozen=True, slots=True)
class Project:
    """What the folders say."""

    topics: list[Topic]
    schemas: list[AvroSchema]
    sql: list[SqlFile]
    ksql: list[KsqlObject]
    connectors: list[Connector]


def read_project(project_dir: Path) -> Project:
    """Read every declaration. Raises DeclarationError at the first file that cannot be understood."""
    return Project(
        topics=read_topics(project_dir),
        schemas=read_schemas(project_dir),
        sql=read_sql(project_dir),
        ksql=read_ksql(project_dir),
        connectors=read_connectors(project_dir),
    )
