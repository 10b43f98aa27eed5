"""Operators that look at one row at a time: sources, filters, projections, new keys, table functions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest
from typing import Any

from embedded.ksql.expressions.compiler import compile_predicate, compile_row_function
from embedded.ksql.functions.interface import EvaluationError
from embedded.ksql.language import ast
from embedded.ksql.language.rewriting import walk
from embedded.ksql.operators.context import Context, Forward
from embedded.ksql.operators.interface import Row
from embedded.ksql.operators.keys import KeyCodec
from embedded.ksql.operators.stores import KeyedStore
from embedded.ksql.planning.plan import Filter, FlatMap, Project, Rekey, Sink, Source, TimestampColumn, TypedExpression
from embedded.ksql.types import STRING, Schema

_new = tuple.__new__
PASSED = (True,)


def read_source(node: Source, context: Context, forward: Forward) -> Forward:
    """Return what takes a source's records: rows get their time, rows without a time or a needed key are dropped."""
    time_of = timed(node.timestamp, node.schema, context) if node.timestamp else None
    is_table = node.kind == "TABLE"

    def receive(rows: list[Row]) -> None:
        if time_of is not None:
            rows = [row for untimed in rows if (row := time_of(untimed)) is not None]
        if is_table:
            forward([row for row in rows if row[0] is not None and row[2] >= 0])
        else:
            forward([row for row in rows if row[2] >= 0])

    return receive


def write_sink(node: Sink, context: Context, forward: Forward) -> Forward:
    """Return what takes the rows for the sink: they get the time that its TIMESTAMP column states."""
    if node.timestamp is None:
        return forward
    time_of = timed(node.timestamp, node.schema, context)
    return lambda rows: forward([row for untimed in rows if (row := time_of(untimed)) is not None])


def timed(column: TimestampColumn, schema: Schema, context: Context) -> Callable[[Row], Row | None]:
    """Return what gives a row the time of its column, None where it has none; a null record keeps its own time."""
    columns = [*schema.key, *schema.value]
    position = next(index for index, known in enumerate(columns) if known.name == column.name)
    in_key, index = position < len(schema.key), position - len(schema.key)
    convert = _parser(column.pattern, context) if columns[position].type == STRING else None

    def time_of(row: Row) -> Row | None:
        if row[1] is None:
            return row
        value = (row[0][position] if row[0] else None) if in_key else row[1][index]
        if value is not None and convert is not None:
            try:
                value = convert(value)
            except (EvaluationError, ValueError) as error:
                context.fail(row, f"Failed to extract timestamp from column {column.name}: {error}")
                return None
        if value is None or value < 0:
            context.fail(row, f"Negative or missing timestamp in column {column.name}: {value}")
            return None
        return row if value == row[2] else _new(Row, (row[0], row[1], value, *row[3:]))

    return time_of


def _parser(pattern: str | None, context: Context) -> Callable[[str], Any]:
    if pattern is None:
        return int
    parse = context.library.resolve_scalar("PARSE_TIMESTAMP", [STRING, STRING]).call
    return lambda text: parse(text, pattern)


def filter_stream(node: Filter, context: Context, forward: Forward) -> Forward:
    """Drop the rows that do not match, and null records."""
    matches = compile_predicate(node.predicate, node.input.schema, context.library, failures=context.fail)
    return lambda rows: forward([row for row in rows if row[1] is not None and matches(row)])


def filter_table(node: Filter, context: Context, forward: Forward) -> Forward:
    """Drop the rows that do not match; one that was let through before is deleted downstream."""
    matches = compile_predicate(node.predicate, node.input.schema, context.library, failures=context.fail)
    codec = KeyCodec(node.input.schema.key)
    passed = KeyedStore(context.name("filter"))
    context.stores.append(passed)

    def receive(rows: list[Row]) -> None:
        out = []
        for row in rows:
            key = codec.of(row)
            if row.value is not None and matches(row):
                if passed.get(key) is None:
                    passed.put(key, PASSED)
                out.append(row)
            elif passed.get(key) is not None:
                passed.put(key, None)
                out.append(row._replace(value=None))
        forward(out)

    return receive


def project_row(
    node: Project, context: Context, failures: Callable[[Row, str], None] | None = None
) -> Callable[[Row], Row]:
    """Return what computes the output columns of a row; null values stay null."""
    compute = compile_row_function(
        [column.value for column in node.columns],
        node.input.schema,
        context.library,
        failures=failures,
        names=[column.name for column in node.columns],
    )

    def project(row: Row) -> Row:
        key, value, timestamp, window, partition, offset = row
        if value is None:
            return row
        return _new(Row, (key, compute(row), timestamp, window, partition, offset))

    return project


def project(node: Project, context: Context, forward: Forward) -> Forward:
    """Compute the output columns."""
    compute = project_row(node, context, context.fail)
    return lambda rows: forward([compute(row) for row in rows])


def rekey(node: Rekey, context: Context, forward: Forward) -> Forward:
    """Give rows a new key; the value is left as it is. A single null is no key.

    Without a value what needs nothing but key columns is computed all the same, and all else is null.
    """
    names = [key.name for key in node.keys]
    keys = [key.value for key in node.keys]
    compute = compile_row_function(keys, node.input.schema, context.library, failures=context.fail, names=names)
    only_key = Schema(node.input.schema.key, ())
    compute_without_value = compile_row_function([_of_key(key, only_key) for key in keys], only_key, context.library)

    def receive(rows: list[Row]) -> None:
        out = []
        for row in rows:
            key: tuple[Any, ...] | None = None
            if keys and row.value is not None:
                key = compute(row)
            elif keys:
                key = compute_without_value(row)
            if key == (None,):
                key = None
            out.append(Row(key, row.value, row.timestamp, None, row.partition, row.offset))
        forward(out)

    return receive


def _of_key(expression: TypedExpression, schema: Schema) -> TypedExpression:
    """Return the expression if it needs nothing but the key's columns, else a null."""
    known = {column.name for column in schema.key}
    needed = {part.name for part in walk(expression.expression) if isinstance(part, ast.ColumnReference)}
    return expression if needed <= known else TypedExpression(ast.NullLiteral(), None)


def flat_map(node: FlatMap, context: Context, forward: Forward) -> Forward:
    """Put out one row an element of the table functions' arrays."""
    names = [column.name for column in node.columns]
    arrays = [column.value for column in node.columns]
    compute = compile_row_function(arrays, node.input.schema, context.library, failures=context.fail, names=names)

    def receive(rows: list[Row]) -> None:
        out = []
        for row in rows:
            if row.value is not None:
                elements = zip_longest(*(array or () for array in compute(row)))
                out += [row._replace(value=row.value + added) for added in elements]
        forward(out)

    return receive
