"""Settings, layered from where they may stand.

Without a profile: the environment, then `.env`, then the embedded stack that runs here. A profile was asked for by
name, so it outranks the environment; what it leaves open (secrets, above all) comes from the environment or `.env`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError
from pydantic_settings import DotEnvSettingsSource, EnvSettingsSource

from pipeline.errors import SettingsError
from pipeline.settings.location import PREFIX, Location
from pipeline.settings.model import Settings

Layer = tuple[str, Mapping[str, Any]]  # where the values stand; field → value


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting in force: its variable, its value (SecretStr where secret), and where that stands."""

    variable: str
    value: Any
    origin: str


def load_location() -> Location:
    """Read the directories and the profile's name. Raises SettingsError."""
    try:
        return Location()
    except ValidationError as error:
        raise SettingsError(_invalid(error, {})) from error


def load_settings(location: Location) -> Settings:
    """Read the settings. Raises SettingsError naming each variable that is missing, or the first that is malformed."""
    return _build(_layers(location), location.profile)


def load_stack_settings(location: Location) -> Settings:
    """Read the addresses of the embedded stack alone, whatever the environment says. Raises SettingsError."""
    return _build([_file_layer("the embedded stack", location.environment_file)], None)


def settings_in_force(location: Location) -> list[Setting]:
    """Return every setting with its value and where it stands. Raises SettingsError."""
    layers = _layers(location)
    settings = _build(layers, location.profile)
    origins = {name: origin for origin, values in layers for name in values}
    return [
        Setting(_variable(name), getattr(settings, name), origins.get(name, "default"))
        for name in Settings.model_fields
    ]


def _layers(location: Location) -> list[Layer]:
    """Return the layers, the one that outranks the others last."""
    common = [_file_layer(".env", Path(".env")), ("environment", EnvSettingsSource(Settings)())]
    if location.profile is None:
        return [_file_layer("the embedded stack", location.environment_file), *common]
    path = location.profile_file()
    _refuse_unknown(path)
    return [*common, _file_layer(f"profile {location.profile}", path)]


def _file_layer(origin: str, path: Path) -> Layer:
    return origin, DotEnvSettingsSource(Settings, env_file=path, env_file_encoding="utf-8")()


def _refuse_unknown(path: Path) -> None:
    known = [_variable(name) for name in (*Settings.model_fields, *Location.model_fields)]
    for name in dotenv_values(path, encoding="utf-8"):
        if name.startswith(PREFIX) and name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else "; `pipeline config show` lists them"
            message = f"{path}: there is no setting {name}{hint}"
            raise SettingsError(message)


def _build(layers: list[Layer], profile: str | None) -> Settings:
    merged = {name: value for _, values in layers for name, value in values.items()}
    try:
        return Settings(**merged)
    except ValidationError as error:
        missing = [_variable(str(item["loc"][0])) for item in error.errors() if item["type"] == "missing"]
        origins = {name: origin for origin, values in layers for name in values}
        raise SettingsError(_missing(missing, profile) if missing else _invalid(error, origins)) from error


def _missing(variables: list[str], profile: str | None) -> str:
    if profile is not None:
        return (
            f"profile {profile} leaves open: {', '.join(variables)}. "
            f"Set them in the environment, in .env or in profiles/{profile}.env (see .env.example)."
        )
    return (
        f"no servers to talk to: {', '.join(variables)} not set, and no embedded stack was started here. Start one "
        "with `pipeline up`, choose a profile (--profile), or set the addresses in .env (see .env.example)."
    )


def _invalid(error: ValidationError, origins: Mapping[str, str]) -> str:
    first = error.errors()[0]
    ours = first["type"] == "value_error"
    reason = first["msg"].removeprefix("Value error, ") if ours else f"is not valid: {first['msg']}"
    if not first["loc"]:
        return f"{reason}. See .env.example."
    name = str(first["loc"][0])
    origin = f" (from {origins[name]})" if name in origins else ""
    return f"{_variable(name)} {reason}{origin}. See .env.example."


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"
