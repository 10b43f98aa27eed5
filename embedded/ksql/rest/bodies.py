"""Request bodies: JSON objects, read leniently as ksqlDB does."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from embedded.ksql.errors import KsqlError


@dataclass(frozen=True, slots=True)
class StatementsBody:
    """What ``/ksql``, ``/query`` and ``/query-stream`` are asked."""

    text: str
    properties: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    sequence_number: int | None = None


async def read_object(request: Request) -> dict[str, Any]:
    """Return the body as an object. Raises KsqlError (400, generic) if it is none."""
    return parse_object(await request.body())


def parse_object(body: bytes) -> dict[str, Any]:
    """Return an object's text as an object. Raises KsqlError (400, generic) if it is none."""
    try:
        found = json.loads(body)
    except ValueError as error:
        raise KsqlError(f"Invalid JSON in request: {error}") from error
    if not isinstance(found, dict):
        raise KsqlError("Invalid JSON in request: expected an object")
    return found


async def read_statements(request: Request, text_field: str, properties_field: str) -> StatementsBody:
    """Return what the client sent; what it left out is empty, but ``sql`` must be there."""
    found = await read_object(request)
    if text_field == "sql" and "sql" not in found:
        raise KsqlError("Invalid JSON in request: Missing required creator property 'sql' (index 0)")
    variables = {str(name).lower(): str(value) for name, value in (found.get("sessionVariables") or {}).items()}
    return StatementsBody(
        text=str(found.get(text_field) or ""),
        properties=dict(found.get(properties_field) or {}),
        variables=variables,
        sequence_number=found.get("commandSequenceNumber"),
    )
