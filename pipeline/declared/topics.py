"""topics.yaml: the topics, their partitions and settings."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.declared.files import read_text
from pipeline.errors import DeclarationError


class Topic(BaseModel):
    """One topic. ``config`` holds Kafka's topic settings, as text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")
    doc: str
    partitions: int = Field(ge=1)
    config: dict[str, str] = {}

    @field_validator("config", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return {name: str(setting) for name, setting in value.items()} if isinstance(value, dict) else value


def read_topics(project_dir: Path) -> list[Topic]:
    """Return the declared topics in the file's order. Raises DeclarationError naming file, topic and field."""
    path = project_dir / "topics.yaml"
    try:
        document = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        message = f"{path}:{line}: not YAML: {getattr(error, 'problem', None) or error}"
        raise DeclarationError(message) from error
    if not isinstance(document, dict):
        message = f"{path}:1: a mapping from topic names to settings is expected here"
        raise DeclarationError(message)
    return [_topic(path, name, settings) for name, settings in document.items()]


def _topic(path: Path, name: object, settings: object) -> Topic:
    if not isinstance(settings, dict):
        message = f"{path}: topic {name}: partitions, doc and config are expected"
        raise DeclarationError(message)
    try:
        return Topic.model_validate({"name": name, **settings})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        message = f"{path}: topic {name}: {field}: {first['msg']}"
        raise DeclarationError(message) from error
