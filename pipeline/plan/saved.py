"""Plans as JSON: for other programs, and for `pipeline deploy FILE`, which does exactly what was shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from pipeline.declared.files import Files
from pipeline.errors import DeclarationError, SettingsError
from pipeline.plan.change import Change
from pipeline.plan.compare import Options
from pipeline.plan.plan import Plan

_FORMAT = 1
_CHANGES = TypeAdapter(tuple[Change, ...])
_OPTIONS = TypeAdapter(Options)


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return the changes as a JSON document."""
    return {
        "has_changes": plan.has_changes,
        "refusals": plan.refusals,
        "changes": _CHANGES.dump_python(plan.changes, mode="json"),
    }


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan with all its files. Raises SettingsError where the file cannot be written."""
    document = {
        "format": _FORMAT,
        "options": _OPTIONS.dump_python(plan.options, mode="json"),
        "files": {name.as_posix(): text for name, text in plan.files.texts.items()},
        **plan_json(plan),
    }
    try:
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"--out {path} cannot be written: {error.strerror}") from error


def load_plan(path: Path) -> Plan:
    """Read a plan that was saved. Raises DeclarationError if it is none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != _FORMAT:
            raise DeclarationError(f"a plan of format {_FORMAT} is expected; make a new one", path=path)
        return Plan(
            files=Files({Path(name): str(text) for name, text in document["files"].items()}),
            options=_OPTIONS.validate_python(document["options"]),
            changes=_CHANGES.validate_python(document["changes"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        reason = f"not a plan ({type(error).__name__}); `pipeline plan --out FILE` writes one"
        raise DeclarationError(reason, path=path) from error
