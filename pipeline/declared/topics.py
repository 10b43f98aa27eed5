"""topics.yaml: the topics, their partitions and settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pipeline.declared.files import TOPICS
from pipeline.errors import DeclarationError


class Topic(BaseModel):
    """One topic. ``config`` holds Kafka's topic settings, as text; ``line`` is where it stands in topics.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")
    doc: str
    partitions: int = Field(ge=1)
    config: dict[str, str] = {}
    line: int = Field(default=1, exclude=True)

    @field_validator("config", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return {name: _text(setting) for name, setting in value.items()} if isinstance(value, dict) else value


def _text(setting: object) -> str:
    return str(setting).lower() if isinstance(setting, bool) else str(setting)


def parse_topics(text: str) -> Iterator[Topic | DeclarationError]:
    """Yield each topic in the file's order, or what is wrong with it. Raises DeclarationError where it is not YAML."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        pairs = root.value if isinstance(root, yaml.MappingNode) else []
        documents = [(key, loader.construct_object(value, deep=True)) for key, value in pairs]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = f"not YAML: {getattr(error, 'problem', None) or error}"
        raise DeclarationError(reason, path=TOPICS, line=mark.line + 1 if mark else 1) from error
    if not isinstance(root, yaml.MappingNode):
        raise DeclarationError("a mapping from topic names to settings is expected here", path=TOPICS)
    seen: set[str] = set()
    for key, settings in documents:
        line = key.start_mark.line + 1
        name = str(key.value)
        if name in seen:
            yield DeclarationError(f"topic {name} stands there twice, and only the last counts", path=TOPICS, line=line)
        else:
            yield _topic(name, settings, line)
        seen.add(name)


def _topic(name: str, settings: Any, line: int) -> Topic | DeclarationError:
    if not isinstance(settings, dict):
        return DeclarationError(f"topic {name}: partitions, doc and config are expected", path=TOPICS, line=line)
    try:
        return Topic.model_validate({**settings, "name": name, "line": line})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        return DeclarationError(f"topic {name}: {field}: {first['msg']}", path=TOPICS, line=line)
