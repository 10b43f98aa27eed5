"""One letter with all there is to know about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import sql

from pipeline.clients.connect import Connect
from pipeline.clients.postgres import connect
from pipeline.clients.registry import SchemaRegistry
from pipeline.dead_letters.actions import RecordedAction, read_actions
from pipeline.dead_letters.avro import AvroCodec
from pipeline.dead_letters.filters import Filters
from pipeline.dead_letters.letter import Letter
from pipeline.dead_letters.sink import Sink, read_sink
from pipeline.dead_letters.table import read_letters
from pipeline.errors import PipelineError, RejectedError
from pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Look:
    """A letter, decoded where possible; the name of its schema; the row of its key that exists already; its history."""

    letter: Letter
    schema: str | None
    row: Mapping[str, Any] | None
    row_note: str
    actions: list[RecordedAction]


def look(settings: Settings, letter_id: int) -> Look:
    """Collect what there is to know about a letter. Raises PipelineError if there is none of that id."""
    codec = AvroCodec(SchemaRegistry(settings.schema_registry).schema_by_id)
    with connect(settings.postgres_dsn, autocommit=True) as connection:
        letter = next(read_letters(connection, Filters(ids=(letter_id,))), None)
        if letter is None:
            message = f"there is no dead letter {letter_id}; `pipeline dlq list` shows their ids"
            raise PipelineError(message)
        decoded = codec.decode(letter.value)
        if decoded:
            letter = replace(letter, record=decoded.record)
        row, note = _existing_row(connection, Connect(settings.connect), letter)
        return Look(letter, decoded.schema.name if decoded else None, row, note, read_actions(connection, letter_id))


def _existing_row(
    connection: psycopg.Connection, connect_client: Connect, letter: Letter
) -> tuple[Mapping[str, Any] | None, str]:
    """Return the row that the sink would write over, or none and why."""
    try:
        sink = read_sink(connect_client, letter.connector)
    except RejectedError as error:
        return None, str(error)
    key = sink.row_key(letter.key, letter.record) or letter.row_key
    if key is None:
        return None, "its key cannot be read, so nobody knows which row it would be"
    return _row(connection, sink, key), f"{sink.table} where {sink.key_fields[0]} = {key}"


def _row(connection: psycopg.Connection, sink: Sink, key: str) -> Mapping[str, Any] | None:
    query = sql.SQL("SELECT to_jsonb(found) FROM {} AS found WHERE {} = %s").format(
        sql.Identifier(*sink.table.split(".")), sql.Identifier(sink.key_fields[0])
    )
    try:
        found = connection.execute(query, (key,)).fetchone()
    except psycopg.DataError:
        return None  # a key of the wrong type has no row
    return found[0] if found else None
