"""Schemas: registered under their subjects, which keep BACKWARD compatibility."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import requests

from pipeline.clients.registry import SchemaRegistry
from pipeline.declared.schemas import AvroSchema
from pipeline.deploy.change import Change
from pipeline.errors import RejectedError

COMPATIBILITY = "BACKWARD"


def deploy_schemas(registry: SchemaRegistry, schemas: Sequence[AvroSchema]) -> Iterator[Change]:
    """Yield a change for each subject. Raises RejectedError for an incompatible schema."""
    for schema in schemas:
        yield _deploy(registry, schema)


def _deploy(registry: SchemaRegistry, schema: AvroSchema) -> Change:
    text = json.dumps(schema.document)
    if registry.versions(schema.subject):
        _ensure_compatibility(registry, schema.subject)
        if registry.lookup(schema.subject, text) is not None:
            return Change("schema", schema.subject, "unchanged")
        return Change("schema", schema.subject, "updated", f"new version, id {_register(registry, schema, text)}")
    schema_id = _register(registry, schema, text)
    _ensure_compatibility(registry, schema.subject)
    return Change("schema", schema.subject, "created", f"id {schema_id}")


def _ensure_compatibility(registry: SchemaRegistry, subject: str) -> None:
    if registry.compatibility(subject) != COMPATIBILITY:
        registry.set_compatibility(subject, COMPATIBILITY)


def _register(registry: SchemaRegistry, schema: AvroSchema, text: str) -> int:
    try:
        return registry.register(schema.subject, text)
    except RejectedError as error:
        if error.status != requests.codes.conflict:
            raise
        message = (
            f"{schema.path}: not {COMPATIBILITY} compatible with the registered version of {schema.subject}: readers "
            f"of old records would fail. Give new fields a default and keep the old ones' types. ({error})"
        )
        raise RejectedError(message, status=error.status) from error
