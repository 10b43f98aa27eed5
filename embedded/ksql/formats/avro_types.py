"""Walking an Avro schema: named types resolved, logical types and nullability told apart."""

from __future__ import annotations

from typing import Any, NamedTuple

PRIMITIVES = frozenset({"null", "boolean", "int", "long", "float", "double", "bytes", "string"})
NAMED = frozenset({"record", "error", "enum", "fixed"})


class AvroType(NamedTuple):
    """One type of a schema: its kind (``union`` for several branches), its own JSON, and its enclosing namespace."""

    kind: str
    schema: dict[str, Any]
    namespace: str


class Names:
    """The named types met so far."""

    def __init__(self) -> None:
        self._known: dict[str, AvroType] = {}

    def resolve(self, schema: Any, namespace: str = "") -> AvroType:
        """Return what a schema stands for. Raises LookupError for an unknown name."""
        if isinstance(schema, list):
            return AvroType("union", {"branches": schema}, namespace)
        if isinstance(schema, str):
            return self._by_name(schema, namespace)
        kind = schema["type"]
        if not isinstance(kind, str):
            return self.resolve(kind, namespace)
        if kind in NAMED:
            return self._define(schema, namespace)
        if kind in PRIMITIVES or kind in {"array", "map"}:
            return AvroType(kind, schema, namespace)
        return self._by_name(kind, namespace)

    def _by_name(self, name: str, namespace: str) -> AvroType:
        if name in PRIMITIVES:
            return AvroType(name, {"type": name}, namespace)
        for candidate in (f"{namespace}.{name}", name):
            if candidate in self._known:
                return self._known[candidate]
        raise LookupError(f"the schema names an unknown type {name!r}")

    def _define(self, schema: dict[str, Any], namespace: str) -> AvroType:
        name = schema["name"]
        if "." in name:
            inner = name.rpartition(".")[0]
        else:
            inner = schema.get("namespace", namespace)
            name = f"{inner}.{name}"
        kind = "record" if schema["type"] == "error" else schema["type"]
        defined = AvroType(kind, schema, inner)
        self._known[name] = defined
        return defined

    def branches(self, union: AvroType) -> list[AvroType]:
        """Return a union's branches."""
        return [self.resolve(branch, union.namespace) for branch in union.schema["branches"]]

    def fields(self, record: AvroType) -> list[tuple[str, AvroType]]:
        """Return a record's fields."""
        return [(field["name"], self.resolve(field["type"], record.namespace)) for field in record.schema["fields"]]


def full_name(named: AvroType) -> str:
    """Return a named type's full name."""
    name: str = named.schema["name"]
    return name if "." in name or not named.namespace else f"{named.namespace}.{name}"


def is_map_entry(items: AvroType) -> bool:
    """Whether an array's items are the entries of a map, as Connect writes maps whose keys may be null."""
    if items.kind != "record":
        return False
    marked = items.schema.get("connect.internal.type") == "MapEntry"
    return marked or full_name(items) == "io.confluent.connect.avro.MapEntry"
