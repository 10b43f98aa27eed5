"""The value columns of each topic, with ksqlDB's types: of a registered schema, or of the query that writes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.check.ksql_types import type_of
from pipeline.declared.ksql import KsqlObject
from pipeline.declared.project import Project
from pipeline.declared.schemas import AvroSchema

_PRIMITIVES = {
    "string": "STRING",
    "int": "INTEGER",
    "long": "BIGINT",
    "float": "DOUBLE",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "bytes": "BYTES",
    "enum": "STRING",
    "fixed": "BYTES",
    "array": "ARRAY",
    "map": "MAP",
    "record": "STRUCT",
}
_LOGICAL = {"timestamp-millis": "TIMESTAMP", "date": "DATE", "time-millis": "TIME"}


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a topic's records; ``type`` is None where it cannot be told, ``exact`` if the writer fixed it."""

    name: str
    type: str | None
    nullable: bool
    exact: bool
    path: Path
    line: int


class Fields:
    """Looks up columns by topic and by ksqlDB source."""

    def __init__(self, project: Project) -> None:
        self.by_topic: dict[str, list[Field]] = {
            schema.subject.removesuffix("-value"): avro_fields(schema)
            for schema in project.schemas
            if schema.subject.endswith("-value")
        }
        self.by_source: dict[str, dict[str, Field]] = {}
        for declared in project.ksql:
            self._add(declared)

    def _add(self, declared: KsqlObject) -> None:
        definition = declared.definition
        if definition.query is None:
            columns = [
                Field(column.name, column.type, nullable=True, exact=True, path=declared.path, line=column.line)
                for column in definition.columns
            ]
            inferred = self.by_topic.get(definition.topic, []) if all(c.key for c in definition.columns) else []
            self.by_source[declared.name] = {field.name.upper(): field for field in (*columns, *inferred)}
            return
        selected = self._selected(declared)
        self.by_source[declared.name] = {field.name: field for field in selected}
        keys = set(definition.query.group_by)
        self.by_topic.setdefault(definition.topic, [field for field in selected if field.name not in keys])

    def _selected(self, declared: KsqlObject) -> list[Field]:
        query = declared.definition.query
        if query is None or len(query.sources) != 1:
            return []
        source = self.by_source.get(query.sources[0], {})
        fields: list[Field] = []
        for item in query.items:
            if item.name == "*":
                fields.extend(source.values())
                continue
            kind = item.expression and type_of(item.expression, {name: field.type for name, field in source.items()})
            fields.append(
                Field(item.name, kind or None, nullable=True, exact=False, path=declared.path, line=item.line)
            )
        return fields


def avro_fields(schema: AvroSchema) -> list[Field]:
    """Return the fields of a record schema; none of any other."""
    return [_avro_field(schema, field) for field in schema.document.get("fields", [])]


def _avro_field(schema: AvroSchema, field: dict[str, Any]) -> Field:
    branches = field["type"] if isinstance(field["type"], list) else [field["type"]]
    types = [branch for branch in branches if branch != "null"]
    name = str(field["name"])
    return Field(
        name,
        _ksql_type(types[0]) if len(types) == 1 else None,
        nullable="null" in branches,
        exact=True,
        path=schema.path,
        line=schema.line(name),
    )


def _ksql_type(schema: Any) -> str | None:
    if isinstance(schema, str):
        return _PRIMITIVES.get(schema)
    logical = schema.get("logicalType")
    if logical == "decimal":
        return f"DECIMAL({schema['precision']}, {schema.get('scale', 0)})"
    return _LOGICAL.get(logical) or _ksql_type(schema["type"])


def topics_written(project: Project) -> Iterable[str]:
    """Return the topics that queries of ksqlDB write."""
    return (declared.definition.topic for declared in project.ksql if declared.definition.query)
