"""SQL types, columns and schemas as ksqlDB names and prints them.

How a value of each type is represented in Python, everywhere in the engine (``None`` is SQL null):

==================  =====================================================
BOOLEAN             ``bool``
INTEGER, BIGINT     ``int``, already wrapped to 32 or 64 bits
DOUBLE              ``float``
DECIMAL(p, s)       ``decimal.Decimal`` with exactly ``s`` fractional digits
STRING              ``str``
BYTES               ``bytes``
TIMESTAMP           ``int``, milliseconds since the epoch, UTC
DATE                ``int``, days since the epoch
TIME                ``int``, milliseconds since midnight
ARRAY               ``list``
MAP                 ``dict`` with ``str`` keys (other key types as their value)
STRUCT              ``dict`` by field name
==================  =====================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Base(Enum):
    """The kinds of SQL type, by ksqlDB's canonical spelling."""

    BOOLEAN = "BOOLEAN"
    INTEGER = "INTEGER"
    BIGINT = "BIGINT"
    DOUBLE = "DOUBLE"
    DECIMAL = "DECIMAL"
    STRING = "STRING"
    BYTES = "BYTES"
    TIMESTAMP = "TIMESTAMP"
    DATE = "DATE"
    TIME = "TIME"
    ARRAY = "ARRAY"
    MAP = "MAP"
    STRUCT = "STRUCT"
    INTERVALUNIT = "INTERVALUNIT"  # a unit of time as a function's argument; no column has it


@dataclass(frozen=True, slots=True)
class SqlType:
    """One SQL type; ``str()`` gives ksqlDB's spelling, e.g. ``DECIMAL(12, 2)`` or ``ARRAY<INTEGER>``."""

    base: Base
    precision: int = 0
    scale: int = 0
    element: SqlType | None = None
    key: SqlType | None = None
    fields: tuple[tuple[str, SqlType], ...] = ()

    def __str__(self) -> str:
        match self.base:
            case Base.DECIMAL:
                return f"DECIMAL({self.precision}, {self.scale})"
            case Base.ARRAY:
                return f"ARRAY<{self.element}>"
            case Base.MAP:
                return f"MAP<{self.key}, {self.element}>"
            case Base.STRUCT:
                fields = ", ".join(f"`{name}` {kind}" for name, kind in self.fields)
                return f"STRUCT<{fields}>" if fields else "STRUCT< >"
            case _:
                return str(self.base.value)


BOOLEAN = SqlType(Base.BOOLEAN)
INTEGER = SqlType(Base.INTEGER)
BIGINT = SqlType(Base.BIGINT)
DOUBLE = SqlType(Base.DOUBLE)
STRING = SqlType(Base.STRING)
BYTES = SqlType(Base.BYTES)
TIMESTAMP = SqlType(Base.TIMESTAMP)
DATE = SqlType(Base.DATE)
TIME = SqlType(Base.TIME)
INTERVALUNIT = SqlType(Base.INTERVALUNIT)


def decimal(precision: int, scale: int) -> SqlType:
    """Return DECIMAL(precision, scale)."""
    return SqlType(Base.DECIMAL, precision=precision, scale=scale)


def array(element: SqlType) -> SqlType:
    """Return ARRAY<element>."""
    return SqlType(Base.ARRAY, element=element)


def mapping(key: SqlType, value: SqlType) -> SqlType:
    """Return MAP<key, value>; ``element`` holds the value's type."""
    return SqlType(Base.MAP, key=key, element=value)


def struct(*fields: tuple[str, SqlType]) -> SqlType:
    """Return STRUCT<…> with fields in the given order."""
    return SqlType(Base.STRUCT, fields=fields)


@dataclass(frozen=True, slots=True)
class Column:
    """A named, typed column of a stream or table. Names are upper-case unless they were back-quoted."""

    name: str
    type: SqlType
    header: str | None = None  # HEADER('name'); "" for HEADERS


@dataclass(frozen=True, slots=True)
class Schema:
    """Key and value columns of a stream or table, in declaration order."""

    key: tuple[Column, ...]
    value: tuple[Column, ...]

    @property
    def payload(self) -> tuple[Column, ...]:
        """The columns that a record's value holds: those of ``value`` that are not read from its headers."""
        return tuple(column for column in self.value if column.header is None)
