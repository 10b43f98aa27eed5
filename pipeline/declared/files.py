"""Reading declaration files, with errors that name the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.errors import DeclarationError


def list_files(project_dir: Path, folder: str, suffix: str) -> list[Path]:
    """Return the declarations in ``folder`` in order of their names. Raises DeclarationError if there is no folder."""
    directory = project_dir / folder
    if not directory.is_dir():
        message = (
            f"{directory}: no such folder. Run this in the project's folder, or name it with --project or "
            "PIPELINE_PROJECT_DIR."
        )
        raise DeclarationError(message)
    return sorted(path for path in directory.iterdir() if path.suffix == suffix)


def read_text(path: Path) -> str:
    """Return the file's text. Raises DeclarationError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read: {error}"
        raise DeclarationError(message) from error


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the file's JSON object. Raises DeclarationError naming line and column."""
    try:
        document = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        message = f"{path}:{error.lineno}: not JSON: {error.msg} (column {error.colno})"
        raise DeclarationError(message) from error
    if not isinstance(document, dict):
        message = f"{path}:1: a JSON object is expected here, not {type(document).__name__}"
        raise DeclarationError(message)
    return document
