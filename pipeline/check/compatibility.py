"""Whether schemas are BACKWARD compatible with earlier ones: Avro's schema resolution, as the registry applies it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.check.finding import Finding
from pipeline.declared.schemas import AvroSchema

# https://avro.apache.org/docs/1.12.0/specification/#schema-resolution
_PROMOTIONS = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_NAMED = frozenset({"record", "error", "enum", "fixed"})


def check_compatibility(schemas: Sequence[AvroSchema], earlier: Sequence[AvroSchema]) -> Iterator[Finding]:
    """Yield each reason why a schema could not read what the earlier one of its subject wrote."""
    before = {schema.subject: schema for schema in earlier}
    for schema in schemas:
        if schema.subject not in before:
            continue
        for field, reason in incompatibilities(schema.document, before[schema.subject].document):
            line = schema.line(field) if field else 1
            why = "readers with the new schema fail at records that were written with the old one"
            fix = "give new fields a default, and keep names and types of the others"
            yield Finding(schema.path, line, f"not BACKWARD compatible: {reason}", why, fix)


def incompatibilities(reader: Any, writer: Any) -> list[tuple[str, str]]:
    """Return what keeps ``reader`` from reading data of ``writer``: the field (empty at the top) and the reason."""
    return list(_Resolution(reader, writer).compare(reader, writer, ""))


class _Resolution:
    """One comparison; named types are looked up in the schema in which they stand."""

    def __init__(self, reader: Any, writer: Any) -> None:
        self._read_names = _names(reader)
        self._written_names = _names(writer)
        self._comparing: set[tuple[str, str]] = set()

    def compare(self, reader: Any, writer: Any, field: str) -> Iterator[tuple[str, str]]:
        """Yield the reasons against one pair of types."""
        reader, writer = _expand(reader, self._read_names), _expand(writer, self._written_names)
        if isinstance(writer, list):
            for branch in writer:
                yield from self.compare(reader, branch, field)
            return
        if isinstance(reader, list):
            if not any(not list(self.compare(branch, writer, field)) for branch in reader):
                yield field, f"{_called(field)}is now {_shown(reader)}, which has no place for {_shown(writer)}"
            return
        read, written = _kind(reader), _kind(writer)
        if read == written:
            yield from self._alike(reader, writer, field)
        elif read not in _PROMOTIONS.get(written, set()):
            yield field, f"{_called(field)}was {_shown(writer)} and is now {_shown(reader)}"

    def _alike(self, reader: Any, writer: Any, field: str) -> Iterator[tuple[str, str]]:
        kind = _kind(reader)
        if kind in _NAMED:
            yield from self._named(reader, writer, field)
        elif kind == "array":
            yield from self.compare(reader["items"], writer["items"], field)
        elif kind == "map":
            yield from self.compare(reader["values"], writer["values"], field)
        elif kind == "bytes":
            yield from _decimals(reader, writer, field)

    def _named(self, reader: dict[str, Any], writer: dict[str, Any], field: str) -> Iterator[tuple[str, str]]:
        pair = (_short(reader), _short(writer))
        aliases = {alias.rpartition(".")[2] for alias in reader.get("aliases", [])}
        if pair[0] != pair[1] and pair[1] not in aliases:
            yield field, f"{_called(field)}type {pair[1]} is now called {pair[0]}"
            return
        if pair in self._comparing:
            return
        self._comparing.add(pair)
        match _kind(reader):
            case "fixed" if reader["size"] != writer["size"]:
                yield field, f"{_called(field)}had {writer['size']} bytes and has now {reader['size']}"
            case "fixed":
                yield from _decimals(reader, writer, field)
            case "enum":
                lost = [symbol for symbol in writer["symbols"] if symbol not in reader["symbols"]]
                if lost and "default" not in reader:
                    yield field, f"{_called(field)}lost the symbols {', '.join(lost)}"
            case _:
                yield from self._record(reader, writer)
        self._comparing.discard(pair)

    def _record(self, reader: dict[str, Any], writer: dict[str, Any]) -> Iterator[tuple[str, str]]:
        written = {field["name"]: field for field in writer["fields"]}
        for field in reader["fields"]:
            names = [field["name"], *field.get("aliases", [])]
            match = next((written[name] for name in names if name in written), None)
            if match is not None:
                yield from self.compare(field["type"], match["type"], field["name"])
            elif "default" not in field:
                yield field["name"], f"{field['name']} is new and has no default"


def _decimals(reader: Any, writer: Any, field: str) -> Iterator[tuple[str, str]]:
    """Yield a changed scale: the registry lets it pass, and every old amount would be read as another."""
    scales = [
        schema.get("scale", 0) for schema in (reader, writer) if isinstance(schema, dict) and "precision" in schema
    ]
    if len(scales) == len((reader, writer)) and scales[0] != scales[1]:
        yield field, f"{_called(field)}had scale {scales[1]} and has now {scales[0]}: old amounts would be misread"


def _names(schema: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def collect(part: Any) -> None:
        if isinstance(part, list):
            for branch in part:
                collect(branch)
        elif isinstance(part, dict):
            if isinstance(part.get("type"), str) and part["type"] in _NAMED:
                found[_short(part)] = part
            for child in (part.get("type"), part.get("items"), part.get("values"), *part.get("fields", [])):
                collect(child)

    collect(schema)
    return found


def _expand(schema: Any, names: Mapping[str, Any]) -> Any:
    if isinstance(schema, str):
        return names.get(schema.rpartition(".")[2], schema)
    if isinstance(schema, dict) and isinstance(schema["type"], dict | list):
        return schema["type"]
    return schema


def _kind(schema: Any) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _short(schema: dict[str, Any]) -> str:
    return str(schema["name"]).rpartition(".")[2]


def _called(field: str) -> str:
    return f"{field} " if field else ""


def _shown(schema: Any) -> str:
    if isinstance(schema, list):
        return " or ".join(_shown(branch) for branch in schema)
    return _short(schema) if isinstance(schema, dict) and "name" in schema else _kind(schema)
