"""Schemas: registered under their subjects, which keep BACKWARD compatibility."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from pipeline.deploy.step import Step
from pipeline.plan.change import Change
from pipeline.plan.deployed import Recorded
from pipeline.plan.schemas import COMPATIBILITY


def deploy_schemas(step: Step) -> Iterator[Change]:
    """Yield each subject's change with the id of its schema. Raises RejectedError for an incompatible schema."""
    registry = step.servers.registry
    declared = {schema.subject: schema for schema in step.project.schemas}
    for change in step.changes:
        schema = declared[change.name]
        schema_id = registry.register(schema.subject, json.dumps(schema.document))
        if registry.compatibility(schema.subject) != COMPATIBILITY:
            registry.set_compatibility(schema.subject, COMPATIBILITY)
        recorded = Recorded(str(schema.path), schema.text)
        step.record.deployed(change.identity, recorded, created=change.action == "create")
        yield replace(change, consequences=(f"id {schema_id}",))


def delete_schemas(step: Step) -> Iterator[Change]:
    """Yield each subject's change when it is deleted."""
    for change in step.changes:
        step.servers.registry.delete_subject(change.name)
        step.record.deleted(change.identity)
        yield change
