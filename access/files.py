"""Files that settings name."""

from __future__ import annotations

from pathlib import Path


def existing_file(path: Path | None) -> Path | None:
    """Return the path of a file that can be read, or None. Raises ValueError."""
    if path is None:
        return None
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise ValueError(f"names {path}, which cannot be read: {error.strerror}") from None
