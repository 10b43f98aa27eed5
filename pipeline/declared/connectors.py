"""connectors/<name>.json: the configuration of each connector."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.declared.files import line_of, parse_json_object
from pipeline.errors import DeclarationError

DEAD_LETTER_TOPIC = "errors.deadletterqueue.topic.name"
# Connect replaces ${provider:key} and ${provider:path:key} by what the worker's environment or files hold.
REFERENCE = re.compile(r"\$\{[A-Za-z][\w-]*:[^}]+\}")
_SECRET = re.compile(
    r"password|passwd|secret|token|credential|(?:api|private|keystore)[._-]?key|jaas|user[._-]?info", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Connector:
    """A connector as Connect takes it: every value is text."""

    name: str
    path: Path
    config: dict[str, str]
    text: str = ""

    def line(self, setting: str) -> int:
        """Return the line on which a setting stands."""
        return line_of(self.text, f'"{setting}"')

    @property
    def topics(self) -> list[str]:
        """The topics that it reads by name; none where ``topics.regex`` chooses them."""
        return [topic.strip() for topic in self.config.get("topics", "").split(",") if topic.strip()]


def parse_connector(path: Path, text: str) -> Connector:
    """Return the connector that a file declares. Raises DeclarationError."""
    document = parse_json_object(path, text)
    for name, value in document.items():
        if not isinstance(value, str):
            message = f'{name}: the value must be text; write "{name}": "{value}"'
            raise DeclarationError(message, path=path, line=line_of(text, f'"{name}"'))
    if "connector.class" not in document:
        raise DeclarationError("connector.class is missing: which connector is this?", path=path)
    if document.get("name", path.stem) != path.stem:
        message = f"name is {document['name']!r}, but the file says {path.stem!r}; remove it or rename the file"
        raise DeclarationError(message, path=path, line=line_of(text, '"name"'))
    return Connector(name=path.stem, path=path, config={**document, "name": path.stem}, text=text)


def sink_group(connector: str) -> str:
    """Return the consumer group of a sink connector, as Connect names it."""
    return f"connect-{connector}"


def subscribed(config: Mapping[str, str], topics: Collection[str]) -> set[str]:
    """Return which of the topics a sink with this configuration reads; ``re.error`` where its regex is none."""
    named = {name.strip() for name in config.get("topics", "").split(",")}
    pattern = config.get("topics.regex")
    matching = {topic for topic in topics if pattern and re.fullmatch(pattern, topic)}
    return (named & set(topics)) | matching


def is_secret(setting: str) -> bool:
    """Whether a setting of this name holds a secret."""
    return _SECRET.search(setting) is not None
