"""Functions over JSON text. Numbers keep the digits they were written with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from embedded.ksql.formats.interface import DeserializationError
from embedded.ksql.formats.json_reading import compact, parse, parse_first
from embedded.ksql.formats.json_writing import writer_of
from embedded.ksql.functions import java_text
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.functions.java_maps import arranged
from embedded.ksql.functions.registry import scalar
from embedded.ksql.functions.shapes import element_of
from embedded.ksql.types import Base, SqlType

jsonic = partial(scalar, category="JSON")

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\[['"]([^'"]+)['"]\]""")
_INVALID = object()
_MISSING = object()


def _parsed(text: str, read: Callable[[str], Any] = parse) -> Any:
    try:
        return read(text)
    except DeserializationError:
        return _INVALID


def _text(value: Any) -> str:
    """Return a JSON value as EXTRACTJSONFIELD gives it: text bare, everything else as JSON."""
    return value if isinstance(value, str) else compact(value)


@lru_cache(maxsize=512)
def _steps(path: str) -> tuple[str | int, ...]:
    if not path.startswith("$"):
        raise EvaluationError(f"Invalid JSON path '{path}': it must begin with $")
    steps: list[str | int] = []
    at = 1
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            raise EvaluationError(f"Invalid JSON path '{path}' at '{path[at:]}'")
        steps.append(int(found[2]) if found[2] is not None else found[1] or found[3])
        at = found.end()
    return tuple(steps)


def _walk(value: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        if isinstance(value, list) and (isinstance(step, int) or step.isdigit()):
            index = int(step)
            value = value[index] if index < len(value) else _MISSING
        elif isinstance(value, dict) and isinstance(step, str):
            value = value.get(step, _MISSING)
        else:
            return _MISSING
    return value


@jsonic("extractjsonfield", "VARCHAR input, VARCHAR path -> VARCHAR", "Returns the value at a JSON path, as text.")
def extract_json_field(text: str, path: str) -> str | None:
    """Return what stands at a path such as ``$.a[0].b``; JSON null is the text null, nothing there is null."""
    document = _parsed(text, parse_first)
    found = _walk(document, _steps(path)) if document is not _INVALID else _MISSING
    return None if found is _MISSING else _text(found)


@jsonic("IS_JSON_STRING", "VARCHAR input -> BOOLEAN", "Tells whether a string is JSON.", strict=False)
def is_json_string(text: str | None) -> bool:
    """Return whether the text is JSON; null is not."""
    return text is not None and bool(text.strip()) and _parsed(text) is not _INVALID


@jsonic("JSON_KEYS", "VARCHAR jsonObj -> ARRAY<VARCHAR>", "Returns the keys of a JSON object.")
def json_keys(text: str) -> list[str] | None:
    """Return the top-level keys; null if it is no object."""
    document = _parsed(text)
    return list(document) if isinstance(document, dict) else None


@jsonic("JSON_RECORDS", "VARCHAR jsonObj -> MAP<VARCHAR, VARCHAR>", "Returns the fields of a JSON object as text.")
def json_records(text: str) -> dict[str, str] | None:
    """Return the top-level fields; null if it is no object."""
    document = _parsed(text)
    if not isinstance(document, dict):
        return None
    return arranged({key: _text(value) for key, value in document.items()})


@jsonic("JSON_ITEMS", "VARCHAR jsonItems -> ARRAY<VARCHAR>", "Returns the elements of a JSON array as text.")
def json_items(text: str) -> list[str] | None:
    """Return the elements as JSON text; null if it is no array."""
    document = _parsed(text)
    return [compact(value) for value in document] if isinstance(document, list) else None


@jsonic("JSON_ARRAY_LENGTH", "VARCHAR jsonArray -> INT", "Returns the length of a JSON array.")
def json_array_length(text: str) -> int | None:
    """Return the number of elements; null if it is no array."""
    document = _parsed(text)
    return len(document) if isinstance(document, list) else None


def _contains(fits: Callable[[Any, Any], bool]) -> Callable[[str | None, Any], bool]:
    def contains(text: str | None, wanted: Any) -> bool:
        if text is None:
            raise EvaluationError("JSON_ARRAY_CONTAINS of null")
        document = _parsed(text)
        if not isinstance(document, list):
            return False
        return any(value is None if wanted is None else fits(value, wanted) for value in document)

    return contains


for _type, _fits in (
    ("VARCHAR", lambda value, wanted: isinstance(value, str) and value == wanted),
    ("INT", lambda value, wanted: type(value) is int and value == wanted),
    ("BIGINT", lambda value, wanted: type(value) is int and value == wanted),
    ("DOUBLE", lambda value, wanted: isinstance(value, Decimal) and float(value) == wanted),
    ("DECIMAL", lambda _, __: False),  # ksqlDB looks for numbers of Java's own types only
    ("BOOLEAN", lambda value, wanted: isinstance(value, bool) and value == wanted),
):
    jsonic(
        "json_array_contains",
        f"VARCHAR jsonArray, {_type} val -> BOOLEAN",
        "Tells whether a JSON array contains a value.",
        strict=False,
    )(_contains(_fits))


@jsonic("JSON_CONCAT", "VARCHAR... jsonStrings -> VARCHAR", "Merges JSON values.")
def json_concat(*texts: str) -> str | None:
    """Return objects merged, the last one winning; with anything else, one array of all. Null if one is no JSON."""
    documents = [_parsed(text) for text in texts]
    if not documents or any(document is _INVALID for document in documents):
        return None
    result = documents[0]
    for document in documents[1:]:
        if isinstance(result, dict) and isinstance(document, dict):
            result = {**result, **document}
        else:
            result = [*_as_list(result), *_as_list(document)]
    return compact(result)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@jsonic("TO_JSON_STRING", "T val -> VARCHAR", "Returns any value as JSON text.", strict=False, per_types=True)
def to_json_string(kind: SqlType | None) -> Callable[[Any], str]:
    """Return the function that writes values of a type; null becomes the text null."""
    if kind is None:
        return lambda _: "null"
    write = _json_writer(kind)
    return lambda value: "null" if value is None else write(value)


_TIMES: dict[Base, Callable[[Any], str]] = {
    Base.TIMESTAMP: java_text.timestamp_text,
    Base.DATE: java_text.date_text,
    Base.TIME: java_text.time_text,
}


def _json_writer(kind: SqlType) -> Callable[[Any], str]:
    """Return the writer of values that are not null: times as text, maps and structs sorted by name."""
    match kind.base:
        case Base.TIMESTAMP | Base.DATE | Base.TIME:
            text = _TIMES[kind.base]
            return lambda value: f'"{text(value)}"'
        case Base.ARRAY:
            item = to_json_string(element_of(kind))
            return lambda value: "[" + ",".join(map(item, value)) + "]"
        case Base.MAP:
            entry = to_json_string(element_of(kind))
            return lambda value: _json_object((str(name), entry(part)) for name, part in value.items())
        case Base.STRUCT:
            fields = [(name, to_json_string(field)) for name, field in kind.fields]
            return lambda value: _json_object((name, field(value.get(name))) for name, field in fields)
        case _:
            return writer_of(kind)


def _json_object(fields: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{compact(name)}:{text}" for name, text in sorted(fields)) + "}"
