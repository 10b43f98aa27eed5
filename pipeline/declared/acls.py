"""acls.yaml: what each part of the pipeline may do in Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from access.acls import CLUSTER, Acl, Operation, Resource
from pipeline.declared.files import ACLS, Files
from pipeline.declared.yaml_file import read_entries
from pipeline.errors import DeclarationError


class Named(NamedTuple):
    """A resource as acls.yaml names it, and the line on which it does."""

    resource: Resource
    name: str
    line: int


class Rule(BaseModel):
    """Operations on resources of one kind; a name that ends in ``*`` stands for all that begin so."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topics: list[str] = []
    groups: list[str] = []
    transactional_ids: list[str] = []
    cluster: bool = False
    operations: list[Operation] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_something(self) -> Rule:
        if not (self.topics or self.groups or self.transactional_ids or self.cluster):
            raise ValueError("topics, groups, transactional_ids or cluster are expected")
        return self

    def resources(self) -> Iterator[tuple[Resource, str]]:
        """Yield kind and name of each resource."""
        yield from (("topic", name) for name in self.topics)
        yield from (("group", name) for name in self.groups)
        yield from (("transactional_id", name) for name in self.transactional_ids)
        if self.cluster:
            yield "cluster", CLUSTER


class Part(BaseModel):
    """A process or a person, by the name under which Kafka knows it; ``line`` is where it stands in acls.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    doc: str
    principal: str = Field(pattern=r"^\w+:.+$")
    allow: list[Rule]
    line: int = Field(default=1, exclude=True)
    lines: dict[str, int] = Field(default={}, exclude=True)  # of the names within ``allow``

    def acls(self) -> list[Acl]:
        """Return what the part may do, one by one."""
        return list(
            dict.fromkeys(
                Acl(self.principal, resource, *split_star(name), operation)
                for rule in self.allow
                for resource, name in rule.resources()
                for operation in rule.operations
            )
        )

    def named(self) -> Iterator[Named]:
        """Yield each resource that the part's rules name."""
        for rule in self.allow:
            for resource, name in rule.resources():
                yield Named(resource, name, self.lines.get(name, self.line))


def split_star(name: str) -> tuple[str, bool]:
    """Return a name without its star, and whether it is a prefix; the star alone is Kafka's own name for all."""
    prefixed = name.endswith("*") and name != "*"
    return (name.removesuffix("*") if prefixed else name), prefixed


def parse_acls(text: str) -> Iterator[Part | DeclarationError]:
    """Yield each part in the file's order, or what is wrong with it. Raises DeclarationError where it is not YAML."""
    for entry in read_entries(ACLS, text, "part"):
        if isinstance(entry, DeclarationError):
            yield entry
        else:
            yield entry.parse(Part, "doc, principal and allow", lines=_lines(entry.node))


def read_parts(files: Files) -> list[Part]:
    """Return the parts that acls.yaml declares. Raises DeclarationError at the first that cannot be understood."""
    parts = []
    for found in parse_acls(files.text(ACLS)):
        if isinstance(found, DeclarationError):
            raise found
        parts.append(found)
    return parts


def _lines(node: yaml.Node) -> dict[str, int]:
    """Return the first line on which each text stands."""
    if isinstance(node, yaml.ScalarNode):
        return {node.value: node.start_mark.line + 1}
    lines: dict[str, int] = {}
    for child in node.value:
        for one in child if isinstance(child, tuple) else (child,):
            lines = _lines(one) | lines
    return lines
