"""YAML files that map names to settings, and the lines on which things stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from pipeline.errors import DeclarationError

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Entry:
    """A name and what is set for it; ``what`` it is the name of, such as topic, and ``line`` where it stands."""

    path: Path
    what: str
    name: str
    line: int
    settings: Any
    node: yaml.Node

    def parse(self, model: type[M], expected: str, **more: object) -> M | DeclarationError:
        """Return the model of the settings and ``more``, or what is wrong with them."""
        if not isinstance(self.settings, dict):
            return self._error(f"{expected} are expected", self.line)
        try:
            return model.model_validate({**self.settings, "name": self.name, "line": self.line, **more})
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            return self._error(f"{field}: {first['msg']}", self.line_at(first["loc"]))

    def line_at(self, place: Sequence[str | int]) -> int:
        """Return the line of what stands at a place within the settings, of what is around it where nothing does."""
        node, line = self.node, self.line
        for part in place:
            found = _child(node, part)
            if found is None:
                break
            node, line = found, found.start_mark.line + 1
        return line

    def _error(self, reason: str, line: int) -> DeclarationError:
        return DeclarationError(f"{self.what} {self.name}: {reason}", path=self.path, line=line)


def _child(node: yaml.Node, part: str | int) -> yaml.Node | None:
    children: dict[str | int, yaml.Node] = {}
    if isinstance(node, yaml.MappingNode):
        children = {key.value: value for key, value in node.value}
    elif isinstance(node, yaml.SequenceNode):
        children = dict(enumerate(node.value))
    return children.get(part)


def read_entries(path: Path, text: str, what: str) -> Iterator[Entry | DeclarationError]:
    """Yield each name in the file's order, or that it stands there twice. Raises DeclarationError if it is not YAML."""
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        pairs = root.value if isinstance(root, yaml.MappingNode) else []
        documents = [(key, value, loader.construct_object(value, deep=True)) for key, value in pairs]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = f"not YAML: {getattr(error, 'problem', None) or error}"
        raise DeclarationError(reason, path=path, line=mark.line + 1 if mark else 1) from error
    if not isinstance(root, yaml.MappingNode):
        raise DeclarationError(f"a mapping from {what} names to settings is expected here", path=path)
    seen: set[str] = set()
    for key, node, settings in documents:
        name, line = str(key.value), key.start_mark.line + 1
        if name in seen:
            yield DeclarationError(f"{what} {name} stands there twice, and only the last counts", path=path, line=line)
        else:
            yield Entry(path, what, name, line, settings, node)
        seen.add(name)
