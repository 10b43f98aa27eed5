"""The declarations' texts, from a folder or wherever they are kept, with errors that name file and line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.errors import DeclarationError

TOPICS = Path("topics.yaml")
ACLS = Path("acls.yaml")
FOLDERS = {"schemas": ".avsc", "sql": ".sql", "ksql": ".sql", "connectors": ".json"}
MIGRATIONS = Path("sql/migrations")


@dataclass(frozen=True, slots=True)
class Files:
    """Texts by path, relative to the project's folder; ``unreadable`` says why a file has none."""

    texts: Mapping[Path, str]
    unreadable: Mapping[Path, str] = field(default_factory=dict)

    def under(self, folder: str | Path) -> list[Path]:
        """Return the files that lie in a folder itself, in order of their names."""
        return sorted(path for path in {*self.texts, *self.unreadable} if path.parent == Path(folder))

    def has(self, path: Path) -> bool:
        """Whether there is such a file, readable or not."""
        return path in self.texts or path in self.unreadable

    def text(self, path: Path) -> str:
        """Return a file's text. Raises DeclarationError."""
        if path not in self.texts:
            raise DeclarationError(f"cannot be read: {self.unreadable.get(path, 'there is no such file')}", path=path)
        return self.texts[path]

    @property
    def sha256(self) -> str:
        """The hash under which these files, all together, are recorded."""
        digest = hashlib.sha256()
        for path in sorted(self.texts):
            digest.update(f"{path.as_posix()}\0{self.texts[path]}\0".encode())
        return digest.hexdigest()


def is_declaration(path: Path) -> bool:
    """Whether a path, relative to the project's folder, is that of a declaration."""
    folder, suffix = path.parent, path.suffix
    return path in {TOPICS, ACLS} or FOLDERS.get(str(folder)) == suffix or (folder == MIGRATIONS and suffix == ".sql")


def read_files(project_dir: Path) -> Files:
    """Read every declaration of a folder. Raises DeclarationError if it is no project's."""
    for folder in FOLDERS:
        if not (project_dir / folder).is_dir():
            message = (
                f"{project_dir / folder}: no such folder. Run this in the project's folder, or name it with --project "
                "or PIPELINE_PROJECT_DIR."
            )
            raise DeclarationError(message)
    texts: dict[Path, str] = {}
    unreadable: dict[Path, str] = {}
    folders = [Path(), MIGRATIONS, *map(Path, FOLDERS)]
    paths = (path.relative_to(project_dir) for folder in folders for path in (project_dir / folder).glob("*"))
    for path in filter(is_declaration, paths):
        try:
            texts[path] = (project_dir / path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            unreadable[path] = str(error)
    return Files(texts, unreadable)


def parse_json_object(path: Path, text: str) -> dict[str, Any]:
    """Return the JSON object in a text. Raises DeclarationError naming line and column."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        twice = next((key for index, key in enumerate(keys) if key in keys[:index]), None)
        if twice is not None:
            line = line_of(text, f'"{twice}"', after=line_of(text, f'"{twice}"'))
            raise DeclarationError(f'"{twice}" stands there twice, and only the last would count', path=path, line=line)
        return dict(pairs)

    try:
        document = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise DeclarationError(f"not JSON: {error.msg} (column {error.colno})", path=path, line=error.lineno) from error
    if not isinstance(document, dict):
        raise DeclarationError(f"a JSON object is expected here, not {type(document).__name__}", path=path)
    return document


def line_of(text: str, wanted: str, *, after: int = 0) -> int:
    """Return the number of the first line after ``after`` that holds ``wanted``; 1 where none does."""
    lines = enumerate(text.splitlines(), start=1)
    return next((number for number, line in lines if number > after and wanted in line), 1)
