"""Dockerfiles as plain commands in a directory: enough of their language for those of this repository."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT


@dataclass(slots=True)
class Stage:
    """One stage: its instructions in order, as (name, rest of the line)."""

    name: str
    instructions: list[tuple[str, str]] = field(default_factory=list)


def read_stages(path: Path) -> dict[str, Stage]:
    """Read the stages of a Dockerfile by name; the last is also called ``final``."""
    text = re.sub(r"\\\n\s*", " ", path.read_text())
    stages: dict[str, Stage] = {}
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.partition(" ")
        if name == "FROM":
            current = Stage(rest.partition(" AS ")[2] or "final")
            stages[current.name] = stages["final"] = current
        else:
            current.instructions.append((name, rest))
    return stages


def run_stage(stage: Stage, directory: Path, site: Path) -> None:
    """Do what the stage does: copies from the repository, and commands, but packages go to ``site``.

    The step that installs the lock is left out: the packages of this very test are those of the lock.
    """
    for name, rest in stage.instructions:
        if name == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            for source in sources:
                copy(ROOT / source, directory / target)
        elif name == "RUN" and "--requirement requirements.lock" not in rest:
            run(shlex.split(rest), directory, site)


def copy(source: Path, target: Path) -> None:
    """Copy as Docker does: a directory's content, or a file into or as the target."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target / source.name if target.is_dir() else target)


def run(command: list[str], directory: Path, site: Path) -> None:
    """Run a command with this Python."""
    program, *arguments = command
    python = {"python": [sys.executable], "pip": [sys.executable, "-m", "pip"]}[program]
    if program == "pip":
        arguments = [*arguments, "--target", str(site), "--quiet"]
    outcome = subprocess.run(
        [*python, *arguments], cwd=directory, capture_output=True, text=True, check=False, timeout=600
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
