"""The declarations as they were at a git ref."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pipeline.declared.files import Files, is_declaration
from pipeline.errors import SettingsError


def files_at(project_dir: Path, ref: str) -> Files:
    """Return the declarations that were committed at ``ref``. Raises SettingsError if git does not know it."""
    # NUL-separated names, relative to the project's folder, which may be a part of a repository.
    listed = _git(project_dir, ref, "ls-tree", "-r", "-z", "--name-only", "--end-of-options", ref)
    paths = [Path(name) for name in listed.split("\0") if name]
    return Files(
        {path: _git(project_dir, ref, "show", f"{ref}:./{path.as_posix()}") for path in paths if is_declaration(path)}
    )


def _git(project_dir: Path, ref: str, *arguments: str) -> str:
    try:
        completed = subprocess.run(
            ["git", "-C", str(project_dir), *arguments],  # noqa: S607 - git is looked up as a shell would
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SettingsError(f"--against {ref} needs git: {error}") from error
    if completed.returncode:
        reason = completed.stderr.strip().splitlines()[0] if completed.stderr else "git gave no reason"
        raise SettingsError(f"--against {ref}: {reason}. Name a branch, tag or commit of {project_dir}.")
    return completed.stdout
