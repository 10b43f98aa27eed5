"""Repairs: what is changed in a record before it is replayed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.dead_letters.avro import AvroCodec, Decoded, WriterSchema
from pipeline.dead_letters.letter import Letter
from pipeline.dead_letters.logical_types import from_text
from pipeline.dead_letters.sink import Sink
from pipeline.errors import SettingsError

Transform = Callable[[Letter], object]


class RepairError(Exception):
    """One letter cannot be repaired like this; it stays as it is."""


@dataclass(frozen=True, slots=True)
class Repaired:
    """What is sent: the value, and the key of the row that it becomes, where that can be told."""

    value: bytes | None
    row_key: str | None


@dataclass(frozen=True, slots=True)
class Repair:
    """Changes to every record: ``transform`` first, then ``sets`` (field → text), then ``unsets`` (to null)."""

    sets: Mapping[str, str]
    unsets: tuple[str, ...] = ()
    transform: Transform | None = None

    def apply(self, letter: Letter, sink: Sink, codec: AvroCodec, latest: Callable[[str], WriterSchema]) -> Repaired:
        """Return the repaired value; the very bytes where there is nothing to repair.

        ``latest`` gives the newest schema of a topic's values, for records that could not be decoded. Raises
        RepairError where a repair does not fit, or would make another row of it.
        """
        original = codec.decode(letter.value)
        value = self._value(letter, original, codec, latest)
        before = sink.row_key(letter.key, original.record if original else None)
        decoded = codec.decode(value) if value is not letter.value else original
        after = sink.row_key(letter.key, decoded.record if decoded else None)
        if before is not None and after != before:
            field = ", ".join(sink.key_fields)
            raise RepairError(f"{field} may not change (from {before} to {after}): that would be another row")
        return Repaired(value, after)

    def _value(
        self, letter: Letter, original: Decoded | None, codec: AvroCodec, latest: Callable[[str], WriterSchema]
    ) -> bytes | None:
        if not (self.sets or self.unsets or self.transform):
            return letter.value
        result = self._transformed(letter, original)
        if isinstance(result, bytes):
            return result
        if result is None:
            raise RepairError("it cannot be decoded, so single fields cannot be set; use --transform")
        try:
            schema = original.schema if original else latest(letter.origin.topic)
            return codec.encode(schema, self._with_fields(dict(result), schema))
        except ValueError as error:
            raise RepairError(str(error)) from error

    def _transformed(self, letter: Letter, original: Decoded | None) -> Mapping[str, Any] | bytes | None:
        record = original.record if original else None
        if self.transform is None:
            return record
        try:
            result = self.transform(replace(letter, record=None if record is None else dict(record)))
        except Exception as error:  # a user's code may raise anything, and only this letter suffers
            raise RepairError(f"the transform raised {type(error).__name__}: {error}") from error
        if isinstance(result, bytes) and (self.sets or self.unsets):
            raise RepairError("the transform returned bytes, so single fields cannot be set")
        if isinstance(result, Mapping | bytes):
            return result
        raise RepairError(f"the transform returned {type(result).__name__}; fields (a dict) or bytes are expected")

    def _with_fields(self, record: dict[str, Any], schema: WriterSchema) -> dict[str, Any]:
        for name, text in self.sets.items():
            if name not in schema.types:
                raise ValueError(f"{schema.name} has no field {name}; it has {', '.join(schema.types)}")
            try:
                record[name] = from_text(schema.types[name], text)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return record | dict.fromkeys(self.unsets)


def load_transform(reference: str, project_dir: Path) -> Transform:
    """Import ``module:function``; modules of the project's folder are found too. Raises SettingsError."""
    module_name, _, function_name = reference.partition(":")
    if not module_name or not function_name:
        message = f"--transform {reference!r}: write module:function"
        raise SettingsError(message)
    sys.path.insert(0, str(project_dir))
    try:
        transform = getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError, SyntaxError) as error:
        message = f"--transform {reference}: {error} (looked in {project_dir} as well)"
        raise SettingsError(message) from error
    finally:
        sys.path.remove(str(project_dir))
    if not callable(transform):
        message = f"--transform {reference}: {function_name} is no function"
        raise SettingsError(message)
    found: Transform = transform
    return found
