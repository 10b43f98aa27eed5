"""sql/NN_<table>.sql: tables, in order of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.declared.files import list_files, read_text
from pipeline.errors import DeclarationError


@dataclass(frozen=True, slots=True)
class SqlFile:
    """An idempotent script; ``name`` is the file's, without number and suffix."""

    name: str
    path: Path
    text: str


def read_sql(project_dir: Path) -> list[SqlFile]:
    """Return the scripts in order. Raises DeclarationError if one does not say what a row means."""
    return [_read(path) for path in list_files(project_dir, "sql", ".sql")]


def _read(path: Path) -> SqlFile:
    text = read_text(path)
    if not text.startswith("-- One row: "):
        message = f"{path}:1: the first line must say what one row means: `-- One row: …`"
        raise DeclarationError(message)
    return SqlFile(name=path.stem.partition("_")[2] or path.stem, path=path, text=text)
