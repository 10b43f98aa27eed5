"""The value columns of each topic, with ksqlDB's types: of a registered schema, or of the query that writes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.check.ksql_types import type_of
from pipeline.declared.avro_columns import avro_columns
from pipeline.declared.ksql import KsqlObject
from pipeline.declared.project import Project
from pipeline.declared.schemas import AvroSchema


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
    return [
        Field(one.name, one.type, one.nullable, exact=True, path=schema.path, line=schema.line(one.name))
        for one in avro_columns(schema.document)
    ]


def topics_written(project: Project) -> Iterable[str]:
    """Return the topics that queries of ksqlDB write."""
    return (declared.definition.topic for declared in project.ksql if declared.definition.query)
