"""acls.yaml: what each part of the pipeline may do in Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from access.acls import CLUSTER, Acl, Operation, Resource
from pipeline.errors import DeclarationError

FILE = "acls.yaml"


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
    """A process or a person, by the name under which Kafka knows it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    doc: str
    principal: str = Field(pattern=r"^\w+:.+$")
    allow: list[Rule]

    def acls(self) -> Iterator[Acl]:
        """Yield what the part may do, one by one."""
        for rule in self.allow:
            for resource, name in rule.resources():
                prefixed = name.endswith("*") and name != "*"  # the name * alone is Kafka's own for all
                stem = name.removesuffix("*") if prefixed else name
                yield from (Acl(self.principal, resource, stem, prefixed, operation) for operation in rule.operations)


def read_acls(project_dir: Path) -> list[Acl]:
    """Return all that acls.yaml allows, none where there is no such file. Raises DeclarationError naming the part."""
    path = project_dir / FILE
    if not path.exists():
        return []
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = f"not YAML: {getattr(error, 'problem', None) or error}"
        raise DeclarationError(reason, path=Path(FILE), line=mark.line + 1 if mark else 1) from error
    if not isinstance(document, dict):
        raise DeclarationError("a mapping from parts to what they may do is expected here", path=Path(FILE))
    return [acl for name, settings in document.items() for acl in _part(name, settings).acls()]


def _part(name: object, settings: object) -> Part:
    try:
        return Part.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DeclarationError(f"{name}: {field}: {first['msg']}", path=Path(FILE)) from error
