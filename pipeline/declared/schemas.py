"""schemas/<subject>.avsc: the Avro schemas, one a subject."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastavro.schema import SchemaParseException, UnknownType, parse_schema

from pipeline.declared.files import list_files, read_json_object, read_text
from pipeline.errors import DeclarationError


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """The schema of one subject: its text as in the file, and parsed."""

    subject: str
    path: Path
    text: str
    document: dict[str, Any]


def read_schemas(project_dir: Path) -> list[AvroSchema]:
    """Return the declared schemas in order of subject. Raises DeclarationError if one is not Avro."""
    return [_read(path) for path in list_files(project_dir, "schemas", ".avsc")]


def _read(path: Path) -> AvroSchema:
    document = read_json_object(path)
    try:
        parse_schema(document, named_schemas={})
    except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError) as error:
        message = f"{path}: not an Avro schema: {error}"
        raise DeclarationError(message) from error
    return AvroSchema(subject=path.stem, path=path, text=read_text(path), document=document)
