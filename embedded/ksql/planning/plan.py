"""The typed plan of one query: what the planner makes and the operators execute. Pure data.

A plan is a tree with ``Source`` leaves and one ``Sink`` at the root. Every node has a ``schema``: the key and
value columns of the rows it puts out. Expressions in a node are typed and refer to the columns of its input(s)
by name (names are unique within a schema; join inputs are renamed to ``ALIAS_NAME`` by the planner, as ksqlDB does).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from embedded.ksql.language.ast import Expression
from embedded.ksql.types import Schema, SqlType


@dataclass(frozen=True, slots=True)
class WindowInfo:
    """How the key of a windowed source or sink is windowed; ``size_ms`` is None for SESSION."""

    kind: Literal["TUMBLING", "HOPPING", "SESSION"]
    size_ms: int | None


@dataclass(frozen=True, slots=True)
class Format:
    """A serialisation format with its options, e.g. ``Format("DELIMITED", (("DELIMITER", "|"),))``.

    ``unwrapped`` stands for WRAP_SINGLE_VALUE=false: the one column is the whole value.
    ``options`` may hold FULL_SCHEMA_NAME, DELIMITER, SUBJECT and the like, as declared.
    """

    name: Literal["KAFKA", "JSON", "AVRO", "DELIMITED", "NONE"]
    options: tuple[tuple[str, str], ...] = ()
    unwrapped: bool = False


@dataclass(frozen=True, slots=True)
class TimestampColumn:
    """The column that gives a record its time, and its Java date pattern where it is a STRING."""

    name: str
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class TypedExpression:
    """An expression whose references are resolved and whose type is known. ``type`` is None for a bare NULL."""

    expression: Expression
    type: SqlType | None


@dataclass(frozen=True, slots=True)
class NamedExpression:
    """An output column: its name and how it is computed."""

    name: str
    value: TypedExpression


@dataclass(frozen=True, slots=True)
class Source:
    """Read a topic as a stream or a table. ``pseudo`` lists the pseudo columns that the query uses."""

    name: str
    alias: str
    topic: str
    kind: Literal["STREAM", "TABLE"]
    schema: Schema
    key_format: Format
    value_format: Format
    window: WindowInfo | None = None
    timestamp: TimestampColumn | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Keep rows for which the predicate is true. On a table a row that stops matching becomes a tombstone."""

    input: Plan
    predicate: TypedExpression
    schema: Schema
    is_table: bool


@dataclass(frozen=True, slots=True)
class Project:
    """Compute the output columns. The key is passed through by position; ``schema.key`` names it."""

    input: Plan
    columns: tuple[NamedExpression, ...]
    schema: Schema
    is_table: bool


@dataclass(frozen=True, slots=True)
class Rekey:
    """Give a stream's rows a new key (PARTITION BY, or a join on something else than the key).

    The value passes through unchanged (``schema.value`` is the input's); no ``keys`` at all is PARTITION BY NULL.
    Old key columns that are still needed were copied into the value by a ``Project`` below.
    """

    input: Plan
    keys: tuple[NamedExpression, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class FlatMap:
    """Table functions (EXPLODE): one output row an element.

    Every expression gives an array. The output value is the input's value followed by one column an expression;
    as many rows come out as the longest array has elements, shorter arrays are filled up with nulls. A null array
    is an empty one.
    """

    input: Plan
    columns: tuple[NamedExpression, ...]
    schema: Schema


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """One aggregate of an aggregation: its function, its arguments over the input, its output column's name."""

    name: str
    function: str
    arguments: tuple[TypedExpression, ...]
    type: SqlType


@dataclass(frozen=True, slots=True)
class WindowSpec:
    """A window clause in milliseconds; None where the statement is silent. For SESSION ``size_ms`` is the gap."""

    kind: Literal["TUMBLING", "HOPPING", "SESSION"]
    size_ms: int
    advance_ms: int | None = None
    retention_ms: int | None = None
    grace_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Aggregate:
    """Group by the keys and aggregate.

    The output value is: ``carried`` input columns (those of the last row: ksqlDB calls them required columns),
    then one column an aggregate call. With a window, WINDOWSTART and WINDOWEND are to be had from the row's window.
    ``is_table`` says that the *input* is a table: then aggregation undoes the old row before it adds the new.
    """

    input: Plan
    keys: tuple[NamedExpression, ...]
    carried: tuple[NamedExpression, ...]
    calls: tuple[AggregateCall, ...]
    window: WindowSpec | None
    schema: Schema
    is_table: bool


@dataclass(frozen=True, slots=True)
class Suppress:
    """EMIT FINAL: hold a windowed aggregation's rows back until their window is closed."""

    input: Plan
    schema: Schema


@dataclass(frozen=True, slots=True)
class StreamTableJoin:
    """Each stream row meets the table's row of the same key as it is now.

    As in all joins the output value is the left value followed by the right value (all null where a side is
    missing), and the output key is the key both sides share (a ``ForeignKeyJoin``: the left key).
    """

    left: Plan
    right: Plan
    kind: Literal["INNER", "LEFT"]
    schema: Schema


@dataclass(frozen=True, slots=True)
class TableTableJoin:
    """A table of the pairs with equal primary keys. ``key_from`` says which side names the key (FULL: a synthetic)."""

    left: Plan
    right: Plan
    kind: Literal["INNER", "LEFT", "RIGHT", "FULL"]
    schema: Schema


@dataclass(frozen=True, slots=True)
class ForeignKeyJoin:
    """A table of the left table's rows with the right row whose primary key ``foreign_key`` gives."""

    left: Plan
    right: Plan
    kind: Literal["INNER", "LEFT"]
    foreign_key: TypedExpression
    schema: Schema


@dataclass(frozen=True, slots=True)
class StreamStreamJoin:
    """Pairs of rows of equal key, the right one from ``before_ms`` before to ``after_ms`` after the left one."""

    left: Plan
    right: Plan
    kind: Literal["INNER", "LEFT", "RIGHT", "FULL"]
    before_ms: int
    after_ms: int
    grace_ms: int | None
    schema: Schema


@dataclass(frozen=True, slots=True)
class Sink:
    """The root: where the rows go. ``topic`` is None for a push query, whose rows go to its client."""

    input: Plan
    name: str
    topic: str | None
    kind: Literal["STREAM", "TABLE"]
    schema: Schema
    key_format: Format
    value_format: Format
    window: WindowInfo | None = None
    timestamp: TimestampColumn | None = None


Plan: TypeAlias = (
    Source
    | Filter
    | Project
    | Rekey
    | FlatMap
    | Aggregate
    | Suppress
    | StreamTableJoin
    | TableTableJoin
    | ForeignKeyJoin
    | StreamStreamJoin
)
