"""topics.yaml: the topics, their partitions and settings."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.declared.files import TOPICS
from pipeline.declared.yaml_file import read_entries
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
    for entry in read_entries(TOPICS, text, "topic"):
        if isinstance(entry, DeclarationError):
            yield entry
        else:
            yield entry.parse(Topic, "partitions, doc and config")
