"""Events as the rows that they become: staged in a temporary table, cast and fingerprinted by PostgreSQL itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import sql

from pipeline.clients.positions import Position

_COLUMNS = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND NOT atthasdef ORDER BY attnum
"""
_STAGED = """
CREATE TEMPORARY TABLE staged (
    topic text, partition integer, "offset" bigint, sent_at timestamptz, erased boolean, origin_topic text,
    origin_partition integer, origin_offset bigint, attempt integer, readable boolean, holdable boolean, {columns}
)
"""
_PLAIN = frozenset({str, int, bool, float, Decimal, date, datetime, type(None)})


class Staged(NamedTuple):
    """A record to be staged; ``fields`` is None where it cannot be decoded, ``origin`` where a letter stems from.

    ``readable`` tells whether ksqlDB reads it.
    """

    position: Position
    sent_at: datetime
    erased: bool
    origin: Position | None
    attempt: int | None
    readable: bool
    fields: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class RowShape:
    """The columns of a table that records fill, name → type; those with a default are PostgreSQL's own."""

    columns: dict[str, str]

    @property
    def description(self) -> str:
        """The columns as text: with other columns, fingerprints mean nothing any more."""
        return ", ".join(f"{name} {kind}" for name, kind in self.columns.items())

    def fingerprint(self, alias: LiteralString) -> sql.Composed:
        """Return the fingerprint of a row of the table as an SQL expression."""
        columns = sql.SQL(", ").join(sql.Identifier(alias, name) for name in self.columns)
        return sql.SQL("md5(ROW({})::text)::uuid").format(columns)

    def typed(self) -> sql.Composed:
        """Return the staged columns, cast, as an SQL expression."""
        return sql.SQL(", ").join(
            sql.SQL("staged.{}::{} AS {}").format(sql.Identifier(name), sql.SQL(kind), sql.Identifier(name))
            for name, kind in self.columns.items()
        )

    @property
    def moments(self) -> tuple[str, ...]:
        """The columns that hold moments or days."""
        return tuple(name for name, kind in self.columns.items() if kind.startswith(("timestamp", "date")))

    def is_valid(self) -> sql.Composed:
        """Return an SQL condition: whether PostgreSQL can hold the staged row, constraints aside."""
        return sql.SQL(" AND ").join(
            [
                sql.SQL("holdable"),
                *(
                    sql.SQL("coalesce(pg_input_is_valid(staged.{}, {}), true)").format(sql.Identifier(name), kind)
                    for name, kind in self.columns.items()
                    if kind != "text"
                ),
            ]
        )

    def staged_fingerprint(self) -> sql.Composed:
        """Return the fingerprint of the row that a staged event becomes; null if no row can hold it."""
        columns = sql.SQL(", ").join(
            sql.SQL("staged.{}::{}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in self.columns.items()
        )
        return sql.SQL("CASE WHEN {} THEN md5(ROW({})::text)::uuid END").format(self.is_valid(), columns)


def read_shape(connection: psycopg.Connection, table: str) -> RowShape:
    """Ask PostgreSQL for the columns of a table."""
    return RowShape({str(name): str(kind) for name, kind in connection.execute(_COLUMNS, (table,))})


def create_staged(connection: psycopg.Connection, shape: RowShape) -> None:
    """Create the temporary table of this connection."""
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(name)) for name in shape.columns)
    connection.execute(sql.SQL(_STAGED).format(columns=columns))


def stage(connection: psycopg.Connection, shape: RowShape, records: Iterable[Staged]) -> None:
    """Put records into the temporary table, in place of those that were there."""
    moments = shape.moments
    names = tuple(shape.columns)
    connection.execute("TRUNCATE staged")
    with connection.cursor().copy("COPY staged FROM STDIN") as copy:
        for record in records:
            origin = record.origin or (None, None, None)
            holdable, values = values_of(record.fields, names, moments)
            copy.write_row(
                (
                    *(*record.position, record.sent_at, record.erased),
                    *(*origin, record.attempt, record.readable, holdable),
                    *values,
                )
            )


def values_of(
    fields: Mapping[str, Any] | None, names: tuple[str, ...], moments: tuple[str, ...]
) -> tuple[bool, Iterable[Any]]:
    """Return whether PostgreSQL has such values at all, and the values as text can hold them."""
    if fields is None:
        return False, (None,) * len(names)
    values = [fields.get(name) for name in names]
    strange = (
        not _PLAIN.issuperset(map(type, values))
        or "\x00" in "".join([value for value in values if type(value) is str])
        or any(type(fields.get(name)) is int for name in moments)
    )
    return (False, [_storable(name, fields.get(name), moments) for name in names]) if strange else (True, values)


def _storable(name: str, value: Any, moments: tuple[str, ...]) -> Any:
    if name in moments and isinstance(value, int):
        return None
    if isinstance(value, str) or type(value) not in _PLAIN:
        if name == "user_id":
            return (
                value if isinstance(value, str) and "\x00" not in value else None
            )  # no statistics can have such an id
        return str(value).replace("\x00", "�")
    return value
