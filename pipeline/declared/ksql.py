"""ksql/NN_<object>.sql: one ksqlDB object a file, with the settings it needs in front."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import sqlparse

from pipeline.declared.files import list_files, read_text
from pipeline.errors import DeclarationError

_SET = re.compile(r"SET\s+'([^']+)'\s*=\s*'([^']*)'\s*;", re.IGNORECASE)
_CREATE = re.compile(
    r"CREATE\s+(?P<replace>OR\s+REPLACE\s+)?(?:SOURCE\s+)?(?P<kind>STREAM|TABLE)\s+(?:IF\s+NOT\s+EXISTS\s+)?"
    r"(?P<name>`[^`]+`|\w+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class KsqlObject:
    """A stream or table: ``statement`` is one CREATE without comments, ``properties`` what SET put before it."""

    name: str
    kind: str
    path: Path
    text: str
    statement: str
    properties: dict[str, str]

    @property
    def replacing(self) -> str:
        """The same statement as CREATE OR REPLACE."""
        return _CREATE.sub(
            lambda found: found[0] if found["replace"] else f"CREATE OR REPLACE{found[0][len('CREATE') :]}",
            self.statement,
            count=1,
        )


def read_ksql(project_dir: Path) -> list[KsqlObject]:
    """Return the objects in order. Raises DeclarationError if a file holds anything but SETs and one CREATE."""
    return [_read(path) for path in list_files(project_dir, "ksql", ".sql")]


def _read(path: Path) -> KsqlObject:
    text = read_text(path)
    properties: dict[str, str] = {}
    creates: list[str] = []
    for part in sqlparse.split(sqlparse.format(text, strip_comments=True)):
        if setting := _SET.fullmatch(part.strip()):
            properties[setting[1]] = setting[2]
        elif _CREATE.match(part):
            creates.append(part.strip())
        elif part.strip(" \n;"):
            message = f"{path}: only SET '…'='…'; and one CREATE belong here, not: {part.strip()[:60]}"
            raise DeclarationError(message)
    if len(creates) != 1:
        message = f"{path}: one CREATE STREAM or CREATE TABLE is expected, {len(creates)} found"
        raise DeclarationError(message)
    if not creates[0].endswith(";"):
        message = f"{path}: the statement does not end with a semicolon"
        raise DeclarationError(message)
    created = _CREATE.match(creates[0])
    assert created is not None  # noqa: S101 - it matched above
    name = created["name"]
    return KsqlObject(
        name=name[1:-1] if name.startswith("`") else name.upper(),
        kind=created["kind"].upper(),
        path=path,
        text=text,
        statement=creates[0],
        properties=properties,
    )
