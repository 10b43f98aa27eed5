"""sql/NN_<table>.sql: tables, in order of their numbers; sql/migrations/NNNN_<what>.sql: what is not idempotent."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import DeclarationError

_MIGRATION = re.compile(r"\d{4}_[a-z0-9_]+")


@dataclass(frozen=True, slots=True)
class SqlFile:
    """An idempotent script; ``name`` is the file's, without number and suffix."""

    name: str
    path: Path
    text: str


@dataclass(frozen=True, slots=True)
class Migration:
    """A script that runs once, in one transaction; ``name`` is the file's, without suffix."""

    name: str
    path: Path
    text: str

    @property
    def sha256(self) -> str:
        """The checksum that is recorded when it has run."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def parse_sql(path: Path, text: str) -> SqlFile:
    """Return the script in a file. Raises DeclarationError if it does not say what a row means."""
    if not text.startswith("-- One row: "):
        raise DeclarationError("the first line must say what one row means: `-- One row: …`", path=path)
    return SqlFile(name=path.stem.partition("_")[2] or path.stem, path=path, text=text)


def parse_migration(path: Path, text: str) -> Migration:
    """Return the migration in a file. Raises DeclarationError if its name does not order it."""
    if not _MIGRATION.fullmatch(path.stem):
        message = "a migration is named NNNN_what_it_does.sql: four digits that order it, then small letters"
        raise DeclarationError(message, path=path)
    return Migration(name=path.stem, path=path, text=text)
