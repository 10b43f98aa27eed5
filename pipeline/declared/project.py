"""All declarations of a project, read at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pipeline.declared.acls import Part, parse_acls
from pipeline.declared.connectors import Connector, parse_connector
from pipeline.declared.files import ACLS, MIGRATIONS, TOPICS, Files, read_files
from pipeline.declared.ksql import KsqlObject, parse_ksql
from pipeline.declared.schemas import AvroSchema, parse_avro_schema
from pipeline.declared.sql import Migration, SqlFile, parse_migration, parse_sql
from pipeline.declared.topics import Topic, parse_topics
from pipeline.declared.transactions import own_transactions
from pipeline.errors import DeclarationError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Project:
    """What the files say."""

    acls: list[Part]
    topics: list[Topic]
    schemas: list[AvroSchema]
    migrations: list[Migration]
    sql: list[SqlFile]
    ksql: list[KsqlObject]
    connectors: list[Connector]


def read_project(project_dir: Path) -> Project:
    """Read every declaration of a folder. Raises DeclarationError at the first file that cannot be understood."""
    return parse_project(read_files(project_dir))


def parse_project(files: Files) -> Project:
    """Return what the files declare. Raises DeclarationError at the first file that cannot be understood or tried."""
    project, errors = parse_all(files)
    scripts: list[SqlFile | Migration] = [*project.sql, *project.migrations]
    for error in (*errors, *(error for script in scripts for error in own_transactions(script))):
        raise error
    return project


def parse_all(files: Files) -> tuple[Project, list[DeclarationError]]:
    """Return what could be understood, and every reason why something could not."""
    errors: list[DeclarationError] = []

    def each(folder: str | Path, parse: Callable[[Path, str], T]) -> list[T]:
        parsed: list[T] = []
        for path in files.under(folder):
            try:
                parsed.append(parse(path, files.text(path)))
            except DeclarationError as error:
                errors.append(error)
        return parsed

    project = Project(
        acls=_sound(parse_acls, files, ACLS, errors) if files.has(ACLS) else [],
        topics=_sound(parse_topics, files, TOPICS, errors),
        schemas=each("schemas", parse_avro_schema),
        migrations=each(MIGRATIONS, parse_migration),
        sql=each("sql", parse_sql),
        ksql=each("ksql", parse_ksql),
        connectors=each("connectors", parse_connector),
    )
    return project, errors


def _sound(
    parse: Callable[[str], Iterable[T | DeclarationError]], files: Files, path: Path, errors: list[DeclarationError]
) -> list[T]:
    """Return what a file of several declarations holds, and add what is wrong with the others to the errors."""
    sound: list[T] = []
    try:
        for found in parse(files.text(path)):
            if isinstance(found, DeclarationError):
                errors.append(found)
            else:
                sound.append(found)
    except DeclarationError as error:
        errors.append(error)
    return sound
