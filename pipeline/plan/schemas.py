"""Schemas: declared against the registry's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.declared.schemas import AvroSchema
from pipeline.plan.change import Change, Difference, compare_mappings
from pipeline.plan.deployed import DeployedSchema

COMPATIBILITY = "BACKWARD"


def compare_schema(schema: AvroSchema, deployed: DeployedSchema | None) -> Change:
    """Return what makes a subject's newest schema the declared one."""
    if deployed is None:
        fields = compare_mappings({}, _fields(schema.document))
        return Change("schema", schema.subject, "create", fields, (f"{COMPATIBILITY} compatibility from now on",))
    level: tuple[Difference, ...] = ()
    if deployed.compatibility != COMPATIBILITY:
        level = (Difference("compatibility", deployed.compatibility, COMPATIBILITY),)
    if deployed.holds_declared:
        return Change("schema", schema.subject, "update" if level else "unchanged", level)
    fields = compare_mappings(_fields(deployed.latest), _fields(schema.document))
    return Change("schema", schema.subject, "update", (*level, *fields), tuple(_consequences(fields)))


def _fields(document: Mapping[str, Any]) -> dict[str, str]:
    """Return what readers see, by name: each field with type and default; the doc texts count once, together."""
    fields = {
        f"field {field['name']}": json.dumps(_without_doc(field.get("type")))
        + (f" = {json.dumps(field['default'])}" if "default" in field else "")
        for field in document.get("fields", [])
    }
    head = {key: value for key, value in document.items() if key not in {"fields", "doc"}}
    docs = [document.get("doc"), *(field.get("doc") for field in document.get("fields", []))]
    return {**fields, "schema": json.dumps(_without_doc(head)), "doc": json.dumps(docs)}


def _without_doc(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _without_doc(value) for key, value in part.items() if key != "doc"}
    return [_without_doc(one) for one in part] if isinstance(part, list) else part


def _consequences(differences: tuple[Difference, ...]) -> Iterator[str]:
    for one in differences:
        name = one.key.removeprefix("field ")
        if one.key.startswith("field ") and one.before is None:
            yield f"{name}: old records read with the default, existing rows keep NULL"
        elif one.key.startswith("field ") and one.after is None:
            yield f"{name}: no longer written; existing rows keep their value"
