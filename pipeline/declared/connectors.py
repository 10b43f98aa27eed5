"""connectors/<name>.json: the configuration of each connector."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.declared.files import list_files, read_json_object
from pipeline.errors import DeclarationError


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector as Connect takes it: every value is text."""

    name: str
    path: Path
    config: dict[str, str]


def read_connectors(project_dir: Path) -> list[Connector]:
    """Return the declared connectors in order of name. Raises DeclarationError."""
    return [_read(path) for path in list_files(project_dir, "connectors", ".json")]


def _read(path: Path) -> Connector:
    document = read_json_object(path)
    for name, value in document.items():
        if not isinstance(value, str):
            message = f'{path}: {name}: the value must be text; write "{name}": "{value}"'
            raise DeclarationError(message)
    if "connector.class" not in document:
        message = f"{path}: connector.class is missing: which connector is this?"
        raise DeclarationError(message)
    if document.get("name", path.stem) != path.stem:
        message = f"{path}: name is {document['name']!r}, but the file says {path.stem!r}; remove it or rename the file"
        raise DeclarationError(message)
    return Connector(name=path.stem, path=path, config={**document, "name": path.stem})
