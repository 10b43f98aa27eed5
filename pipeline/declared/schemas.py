"""schemas/<subject>.avsc: the Avro schemas, one a subject."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastavro.schema import SchemaParseException, UnknownType, parse_schema

from pipeline.declared.files import line_of, parse_json_object
from pipeline.errors import DeclarationError


@dataclass(frozen=True, slots=True)
class AvroSchema:
    """The schema of one subject: its text as in the file, and parsed."""

    subject: str
    path: Path
    text: str
    document: dict[str, Any]

    def line(self, field: str) -> int:
        """Return the line on which a field is declared."""
        return line_of(self.text, f'"name": "{field}"')


def parse_avro_schema(path: Path, text: str) -> AvroSchema:
    """Return the schema that a file declares. Raises DeclarationError if it is not Avro."""
    document = parse_json_object(path, text)
    try:
        parse_schema(document, named_schemas={})
    except (SchemaParseException, UnknownType, KeyError, TypeError, ValueError) as error:
        raise DeclarationError(f"not an Avro schema: {error}", path=path) from error
    return AvroSchema(subject=path.stem, path=path, text=text, document=document)
