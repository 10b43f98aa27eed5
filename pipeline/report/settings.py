"""The settings in force, secrets masked."""

from __future__ import annotations

import json
from collections.abc import Sequence

from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from rich.markup import escape

from pipeline.report.console import out, table
from pipeline.settings import Location, Setting

_MASK = "********"


def settings_json(location: Location, settings: Sequence[Setting]) -> str:
    """Return profile, directories and settings as a document; secrets are masked, what is not set is null."""
    return json.dumps(
        {
            "profile": location.profile,
            "project_dir": str(location.project_dir),
            "state_dir": str(location.state_dir),
            "settings": [
                {"name": one.variable, "value": masked(one.variable, one.value), "origin": one.origin}
                for one in settings
            ],
        },
        indent=2,
    )


def print_settings(location: Location, settings: Sequence[Setting]) -> None:
    """Print profile and directories, then each setting with where it stands; what is not set comes last."""
    shown = table("setting", "value", "from")
    shown.add_row("profile", escape(location.profile or "none"), "")
    shown.add_row("project", escape(str(location.project_dir)), "")
    shown.add_row("state", escape(str(location.state_dir)), "")
    for one in sorted(settings, key=lambda one: one.value is None):
        value = masked(one.variable, one.value)
        shown.add_row(one.variable, "[dim]not set[/]" if value is None else escape(value), escape(one.origin))
    out.print(shown)


def masked(variable: str, value: object) -> str | None:
    """Return a setting's text without its secret; a DSN keeps all but its password."""
    if value is None:
        return None
    if not isinstance(value, SecretStr):
        return str(value)
    if not variable.endswith("_DSN"):
        return _MASK
    parts = conninfo_to_dict(value.get_secret_value())
    hidden = {name: _MASK if "password" in name else text for name, text in parts.items()}
    return " ".join(f"{name}={text}" for name, text in hidden.items())
