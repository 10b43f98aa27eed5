"""Guesses the format of a topic's keys and values from their bytes, as PRINT does, and shows them as text."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Callable
from typing import Any

import fastavro

from embedded.ksql.errors import KsqlError
from embedded.ksql.formats.interface import SchemaRegistry

UNKNOWN = "¯\\_(ツ)_/¯ - no data processed"
_INT, _LONG, _DOUBLE = struct.Struct(">i"), struct.Struct(">q"), struct.Struct(">d")
_EARLIEST_WINDOW_MS, _LATEST_WINDOW_MS = 0, 4_102_444_800_000  # 1970 to 2100: other eight bytes are not a window
_AVRO_HEADER = 5

Read = Callable[[bytes], str]


class RecordFormatter:
    """The formats that one side of all records seen so far may have.

    As in ksqlDB what cannot be read as AVRO is shown as other formats read it; here a line says so if that is because
    there is no registry to ask.
    """

    def __init__(self, side: str, registry: SchemaRegistry) -> None:
        self._side, self._registry = side, registry
        strings: list[tuple[str, Read]] = [
            ("KAFKA_INT", lambda data: str(_INT.unpack(data)[0])),
            ("KAFKA_BIGINT", lambda data: str(_LONG.unpack(data)[0])),
            ("KAFKA_DOUBLE", lambda data: str(_DOUBLE.unpack(data)[0])),
            ("KAFKA_STRING", _text),
        ]
        self._formats: list[tuple[str, Read]] = [("AVRO", self._avro), ("JSON", _json), *strings]
        if side == "Key":
            for kind, read in (("SESSION", _session), ("HOPPING", _windowed), ("TUMBLING", _windowed)):
                self._formats.append((f"{kind}(KAFKA_STRING)", read))
        self._shown = ""
        self._without_registry = ""

    def observe(self, data: bytes | None) -> str:
        """Keep the formats that fit; return a line naming them if they have changed, else nothing.

        Before it may come a line that says why AVRO is none of them.
        """
        if data is not None:
            fitting = [known for known in self._formats if _fits(known[1], data)]
            self._formats = fitting or [("MIXED or UNKNOWN", _escaped)]
        named = UNKNOWN if data is None and not self._shown else self._names(self._shown if data is None else "")
        if named == self._shown:
            return ""
        self._shown = named
        missing, self._without_registry = self._without_registry, ""
        return f"{missing}{self._side} format: {named}\n"

    def text(self, data: bytes | None) -> str:
        """Return a key or value in the first format that fits."""
        if data is None:
            return "<null>"
        read = self._formats[0][1]
        return read(data)

    def _names(self, shown: str) -> str:
        return shown or " or ".join(name for name, _ in self._formats)

    def _avro(self, data: bytes) -> str:
        if len(data) < _AVRO_HEADER or data[0] != 0:
            raise ValueError("not written with a Schema Registry")
        try:
            written = self._registry.by_id(int.from_bytes(data[1:_AVRO_HEADER], "big"))
        except KsqlError as error:
            self._without_registry = f"{self._side}s that may be AVRO are not read as such: {error.message}\n"
            raise LookupError(error.message) from error
        schema = json.loads(written, object_hook=_without_logical_type)
        value = fastavro.schemaless_reader(io.BytesIO(data[_AVRO_HEADER:]), schema, None)
        return json.dumps(value, default=_bytes_as_avro_text, ensure_ascii=False)


def _fits(read: Read, data: bytes) -> bool:
    try:
        read(data)
    except (ValueError, LookupError, struct.error, EOFError, TypeError):
        return False
    return True


def _json(data: bytes) -> str:
    text = data.decode()
    if not isinstance(json.loads(text), dict | list):
        raise ValueError("a bare value may be text as well")  # noqa: TRY004 - it says what the bytes are not
    return text


def _text(data: bytes) -> str:
    return data.decode()


def _escaped(data: bytes) -> str:
    return data.decode(errors="backslashreplace")


def _windowed(data: bytes) -> str:
    return f"[{_text(data[:-8])}@{_time(data[-8:])}/-]"


def _session(data: bytes) -> str:
    return f"[{_text(data[:-16])}@{_time(data[-8:])}/{_time(data[-16:-8])}]"


def _time(data: bytes) -> int:
    milliseconds = int(_LONG.unpack(data)[0])
    if not _EARLIEST_WINDOW_MS < milliseconds < _LATEST_WINDOW_MS:
        raise ValueError("not a time")
    return milliseconds


def _without_logical_type(part: dict[str, Any]) -> dict[str, Any]:
    """PRINT shows what is in the bytes: a timestamp as its milliseconds, a decimal as its unscaled bytes."""
    return {name: value for name, value in part.items() if name != "logicalType"}


def _bytes_as_avro_text(value: Any) -> str:
    if not isinstance(value, bytes):
        raise TypeError(f"{type(value).__name__} is no Avro type")
    return value.decode("iso-8859-1")
