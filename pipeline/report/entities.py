"""What ksqlDB answers to SHOW, LIST and DESCRIBE, as rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_TOO_LONG = {"queryString"}


def described(entities: list[dict[str, Any]]) -> Iterator[list[Any]]:
    """Yield the column names, then a row for each thing that the last entity lists."""
    things = _listed(entities[-1]) if entities else []
    columns = [name for name in dict.fromkeys(name for thing in things for name in thing) if name not in _TOO_LONG]
    yield columns
    for thing in things:
        yield [thing.get(name) for name in columns]


def _listed(entity: dict[str, Any]) -> list[dict[str, Any]]:
    if "sourceDescription" in entity:
        return [{"name": field["name"], "type": _type_text(field)} for field in entity["sourceDescription"]["fields"]]
    lists = [value for key, value in entity.items() if key != "warnings" and _is_table(value)]
    return next((value for value in lists if value), [])


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _type_text(field: dict[str, Any]) -> str:
    mark = field.get("type")
    return _schema_text(field["schema"]) + ({"KEY": " KEY"}.get(mark, "") if mark else "")


def _schema_text(schema: dict[str, Any]) -> str:
    kind = schema["type"]
    if kind == "ARRAY":
        return f"ARRAY<{_schema_text(schema['memberSchema'])}>"
    if kind == "MAP":
        return f"MAP<STRING, {_schema_text(schema['memberSchema'])}>"
    if kind == "STRUCT":
        members = ", ".join(f"{member['name']} {_schema_text(member['schema'])}" for member in schema["fields"])
        return f"STRUCT<{members}>"
    parameters = schema.get("parameters")
    if kind == "DECIMAL" and parameters:
        return f"DECIMAL({parameters['precision']}, {parameters['scale']})"
    return str(kind)
