"""Kafka records to rows: one decoder a source of a query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Message

from embedded.ksql.formats.interface import DeserializationError, SchemaRegistry, Serde
from embedded.ksql.formats.serdes import key_serde, value_serde
from embedded.ksql.formats.windowed_keys import unwrap
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.plan import Source, TimestampColumn
from embedded.ksql.types import STRING, Base, Schema

Headers = Sequence[tuple[str, bytes | None]]


class BadRecord(NamedTuple):
    """A record that could not be decoded: which side, why, and where it is."""

    target: str  # "key" or "value"
    reason: str
    topic: str
    partition: int
    offset: int
    data: bytes | None


class Decoder:
    """Decodes the records of one source, in batches. ``used`` are the columns that the query reads; None: all."""

    def __init__(self, source: Source, registry: SchemaRegistry, used: frozenset[str] | None = None) -> None:
        self.source = source
        self._key: Serde | None = None
        if source.schema.key:
            self._key = key_serde(source.key_format, source.schema.key, topic=source.topic, registry=registry)
        if used is not None and source.timestamp is not None:
            used |= {source.timestamp.name}
        self._value = value_serde(
            source.value_format, source.schema.payload, topic=source.topic, registry=registry, used=used
        )
        self._headers = _header_merger(source.schema)
        self._timestamp = timestamp_extractor(source.timestamp, source.schema)

    def decode(self, messages: Sequence[Message]) -> tuple[list[Row], list[BadRecord]]:
        """Return the rows in order, and the records that are not what the declaration says."""
        rows: list[Row] = []
        bad: list[BadRecord] = []
        append, new = rows.append, tuple.__new__
        read_key = None if self._key is None else self._key.deserialize
        read_value, read_time, merge = self._value.deserialize, self._timestamp, self._headers
        window_info = self.source.window
        for message in messages:
            target = "key"
            try:
                raw_key, window = message.key(), None
                if window_info is not None and raw_key is not None:
                    raw_key, window = unwrap(raw_key, window_info)
                key = None if raw_key is None or read_key is None else read_key(raw_key)
                target = "value"
                raw = message.value()
                value = None if raw is None else read_value(raw)
                if merge is not None and value is not None:
                    value = merge(value, message.headers() or ())
                time = message.timestamp()[1]
                if read_time is not None and value is not None:
                    time = read_time(key, value)
            except DeserializationError as error:
                bad.append(_bad(message, target, str(error)))
                continue
            if time < 0:
                bad.append(_bad(message, target, f"Negative or missing timestamp: {time}"))
                continue
            append(new(Row, (key, value, time, window, message.partition(), message.offset())))
        return rows, bad


def timestamp_extractor(
    column: TimestampColumn | None, schema: Schema
) -> Callable[[tuple[Any, ...] | None, tuple[Any, ...]], int] | None:
    """Return (key, value) -> milliseconds for a declared TIMESTAMP column; -1 stands for a time that is missing."""
    if column is None:
        return None
    names = [known.name for known in schema.value]
    in_key = column.name not in names
    columns = schema.key if in_key else schema.value
    index = [known.name for known in columns].index(column.name)
    convert = _text_converter(column.pattern) if columns[index].type.base is Base.STRING else None

    def extract(key: tuple[Any, ...] | None, value: tuple[Any, ...]) -> int:
        found = (key[index] if key is not None else None) if in_key else value[index]
        if found is None:
            return -1
        return int(found) if convert is None else convert(found)

    return extract


def _text_converter(pattern: str | None) -> Callable[[str], int]:
    if pattern is None:
        return int
    parse = LIBRARY.resolve_scalar("PARSE_TIMESTAMP", [STRING, STRING]).call

    def convert(text: str) -> int:
        try:
            return int(parse(text, pattern))
        except Exception as error:  # whatever the function makes of text that does not match
            raise DeserializationError(f"Timestamp '{text}' does not match '{pattern}': {error}") from error

    return convert


def _header_merger(schema: Schema) -> Callable[[tuple[Any, ...], Headers], tuple[Any, ...]] | None:
    names = [column.header for column in schema.value]
    if not any(name is not None for name in names):
        return None

    def merge(value: tuple[Any, ...], headers: Headers) -> tuple[Any, ...]:
        declared = iter(value)
        return tuple(next(declared) if name is None else _header(name, headers) for name in names)

    return merge


def _header(name: str, headers: Headers) -> Any:
    if name:
        return next((value for key, value in reversed(headers) if key == name), None)
    return [{"KEY": key, "VALUE": value} for key, value in headers]


def _bad(message: Message, target: str, reason: str) -> BadRecord:
    data = message.key() if target == "key" else message.value()
    raw = data.encode() if isinstance(data, str) else data
    return BadRecord(target, reason, message.topic() or "", message.partition() or 0, message.offset() or 0, raw)
