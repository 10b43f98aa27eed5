"""Subjects of the registry, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from rich.markup import escape

from pipeline.report.console import out, table


@dataclass(frozen=True, slots=True)
class SubjectLine:
    """A subject with its newest version, that version's id, and its own compatibility level if it has one."""

    subject: str
    version: int
    id: int
    compatibility: str | None


def subjects_json(subjects: Sequence[SubjectLine]) -> str:
    """Return the subjects as a document."""
    return json.dumps([asdict(each) for each in subjects], indent=2)


def print_subjects(subjects: Sequence[SubjectLine]) -> None:
    """Print a line for each subject."""
    shown = table("subject", "version", "id", "compatibility", numbers=frozenset({"version", "id"}))
    for each in subjects:
        shown.add_row(escape(each.subject), str(each.version), str(each.id), each.compatibility or "the registry's")
    out.print(shown if subjects else "no subjects: `pipeline deploy`")
