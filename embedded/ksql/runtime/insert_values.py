"""INSERT INTO … VALUES: one record, produced by the server itself."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaException, Message, Producer

from embedded.ksql.errors import ServerError, StatementError
from embedded.ksql.expressions.compiler import compile_row_function
from embedded.ksql.expressions.typing import type_of
from embedded.ksql.formats.interface import SchemaRegistry
from embedded.ksql.formats.serdes import key_serde, value_serde
from embedded.ksql.functions.casts import cast
from embedded.ksql.functions.library import LIBRARY
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_statement
from embedded.ksql.operators.interface import Row
from embedded.ksql.planning.interface import SourceView
from embedded.ksql.planning.plan import TypedExpression
from embedded.ksql.runtime.clients import cause_of
from embedded.ksql.types import BIGINT, Base, Schema, SqlType

FLUSH_SECONDS = 30.0
MILLISECONDS = 1_000
ROWTIME = "ROWTIME"
_NOTHING = Schema((), ())
_ANY_ROW = Row(None, (), 0)
_NUMBERS = [Base.INTEGER, Base.BIGINT, Base.DECIMAL, Base.DOUBLE]
_FROM_TEXT = {Base.TIMESTAMP, Base.DATE, Base.TIME, Base.BYTES}


def insert_values(
    statement: ast.InsertValues, source: SourceView, registry: SchemaRegistry, producer: Producer
) -> None:
    """Write the record and wait for the broker. Raises StatementError if values do not fit the columns."""
    try:
        key, value, timestamp = _record(statement, source, registry)
    except StatementError as error:
        message = f"Failed to insert values into '{source.name}'. {error.message}"
        raise StatementError(message, statement_text=format_statement(statement)) from error
    _produce(producer, source.topic, key, value, timestamp)


def _record(
    statement: ast.InsertValues, source: SourceView, registry: SchemaRegistry
) -> tuple[bytes | None, bytes | None, int]:
    schema = source.schema
    columns = (*schema.key, *(column for column in schema.value if column.header is None))
    known = {column.name: column.type for column in columns} | {ROWTIME: BIGINT}
    names = statement.columns or tuple(column.name for column in columns)
    if len(names) != len(statement.values):
        raise StatementError(f"Expected {len(names)} values, got {len(statement.values)}.")
    for name in names:
        if name not in known:
            raise StatementError(f"Column name `{name}` does not exist.")
    pairs = zip(names, statement.values, strict=True)
    given = {name: _evaluated(expression, name, known[name]) for name, expression in pairs}
    if source.kind == "TABLE" and all(given.get(column.name) is None for column in schema.key):
        raise StatementError(f"Value for primary key column(s) {', '.join(c.name for c in schema.key)} is required.")
    key, key_columns = [given.get(column.name) for column in schema.key], schema.key
    value_columns = [column for column in schema.value if column.header is None]
    value = tuple(given.get(column.name) for column in value_columns)
    key_bytes = None
    if key_columns and any(one is not None for one in key):
        serde = key_serde(source.key_format, key_columns, topic=source.topic, registry=registry)
        key_bytes = serde.serialize(tuple(key))
    serde = value_serde(source.value_format, value_columns, topic=source.topic, registry=registry)
    timestamp = given.get(ROWTIME)
    return key_bytes, serde.serialize(value), int(time.time() * MILLISECONDS) if timestamp is None else timestamp


def _evaluated(expression: ast.Expression, name: str, target: SqlType) -> Any:
    kind = type_of(expression, _NOTHING, LIBRARY)
    if kind is None:
        return None
    typed: Sequence[TypedExpression] = [TypedExpression(expression, kind)]
    (value,) = compile_row_function(typed, _NOTHING, LIBRARY)(_ANY_ROW)
    if value is None or kind == target:
        return value
    if not _fits(kind, target):
        raise StatementError(f"Expected type {target} for field `{name}` but got {kind}({value})")
    return cast(value, kind, target)


def _fits(kind: SqlType, target: SqlType) -> bool:
    if kind.base in _NUMBERS and target.base in _NUMBERS:
        return _NUMBERS.index(kind.base) <= _NUMBERS.index(target.base)
    return kind.base is target.base or (kind.base is Base.STRING and target.base in _FROM_TEXT)


def _produce(producer: Producer, topic: str, key: bytes | None, value: bytes | None, timestamp: int) -> None:
    failures: list[str] = []

    def delivered(error: object, _: Message) -> None:
        if error is not None:
            failures.append(str(error))

    try:
        producer.produce(topic, value, key, timestamp=timestamp, on_delivery=delivered)
        unsent = producer.flush(FLUSH_SECONDS)
    except KafkaException as error:
        raise ServerError(f"Could not write to topic {topic}: {cause_of(error).str()}") from error
    if failures or unsent:
        raise ServerError(f"Could not write to topic {topic}: {failures[0] if failures else 'timed out'}")
