"""CREATE STREAM | TABLE over a topic: its columns, formats and topic."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.formats.avro_inference import columns_of, whole_of
from embedded.ksql.language import ast
from embedded.ksql.language.formatter import format_statement
from embedded.ksql.planning.catalog import DeclaredSource
from embedded.ksql.planning.plan import Format
from embedded.ksql.planning.with_clause import (
    check_format,
    key_format,
    property_texts,
    timestamp_column,
    value_format,
)
from embedded.ksql.statements.changes import Change, Context, NothingToDo, TopicRequest, World
from embedded.ksql.statements.properties import (
    DEFAULT_FORMATS,
    refuse_other_policy,
    source_properties,
    topic_count,
    window_of,
)
from embedded.ksql.statements.source_tables import materialize
from embedded.ksql.statements.texts import (
    CleanupPolicy,
    already_exists,
    created,
    failing_as,
    source_id,
    with_properties,
)
from embedded.ksql.statements.upgrades import check_source
from embedded.ksql.types import BYTES, STRING, Column, Schema, array, struct

_RESERVED = frozenset({"ROWTIME", "ROWPARTITION", "ROWOFFSET", "WINDOWSTART", "WINDOWEND"})
_HEADERS = array(struct(("KEY", STRING), ("VALUE", BYTES)))
_KINDS = (
    "Tables have PRIMARY KEYs, which are unique and NON NULL.\n"
    "Streams have KEYs, which have no uniqueness or NON NULL constraints."
)


@dataclass(frozen=True, slots=True)
class _Declaration:
    """A statement on its way to a source."""

    statement: ast.CreateSource
    properties: dict[str, str]
    world: World

    @property
    def text(self) -> str:
        return format_statement(self.statement)


def create_source(statement: ast.CreateSource, text: str, context: Context) -> Change | NothingToDo:
    """Return what the statement changes. Raises KsqlError with ksqlDB's message."""
    with failing_as(text):
        _refuse_replacing_read_only(statement, context)
        statement = _with_default_formats(statement, context.properties)
        properties = source_properties(statement.properties)
        _refuse_duplicates(statement.columns)
        _check_formats_given(properties)
        statement = _with_default_format(statement, properties)
    declaration = _Declaration(statement, properties, context.world)
    with failing_as(declaration.text):
        declaration = _with_inferred_columns(declaration)
    partitions = _partitions(declaration)
    policy: CleanupPolicy = "compact" if statement.kind == "TABLE" else "delete"
    refuse_other_policy(properties, policy)
    declaration = replace(declaration, statement=with_properties(declaration.statement, {"CLEANUP_POLICY": policy}))
    with failing_as(declaration.text):
        before = context.catalog.source(statement.name)
        if before is not None and not statement.or_replace:
            exists = already_exists(statement.kind, statement.name, before.kind)
            if statement.if_not_exists:
                return NothingToDo(exists.replace(f"'{statement.name}'", f"`{statement.name}`") + ".")
            raise StatementError(exists)
        source = _source(declaration, partitions)
        if before is not None:
            check_source(before, source)
    return _change(declaration, source, policy, context.query_id)


def _change(declaration: _Declaration, source: DeclaredSource, policy: CleanupPolicy, query_id: str) -> Change:
    properties = declaration.properties
    wanted = topic_count(properties, "PARTITIONS")
    topic = None
    if wanted is not None:
        replicas = topic_count(properties, "REPLICAS") or declaration.world.replicas(source.topic)
        topic = TopicRequest(source.topic, wanted, replicas, policy, topic_count(properties, "RETENTION_MS"))
    change = Change(
        source_id(source.kind, source.name),
        declaration.text,
        created(source.kind),
        topic=topic,
        declared=source,
    )
    return materialize(change, source, query_id) if source.read_only and source.kind == "TABLE" else change


def _source(declaration: _Declaration, partitions: int) -> DeclaredSource:
    statement, properties = declaration.statement, declaration.properties
    _check_columns(statement, windowed=window_of(properties) is not None)
    schema = _schema(statement.columns)
    timestamp = timestamp_column(properties, schema)
    written_key = key_format(properties, Format("KAFKA"), keyless=False)
    written_value = value_format(properties, schema, Format("KAFKA"))
    try:
        check_format("Key", written_key, schema.key)
        check_format("Value", written_value, schema.payload)
    except KsqlError as error:
        raise StatementError(error.message) from error
    return DeclaredSource(
        name=statement.name,
        kind=statement.kind,
        schema=schema,
        topic=properties["KAFKA_TOPIC"],
        key_format=written_key,
        value_format=written_value,
        window=window_of(properties),
        timestamp=timestamp,
        partitions=partitions,
        statement_text=declaration.text,
        read_only=statement.read_only,
    )


def _refuse_replacing_read_only(statement: ast.CreateSource, context: Context) -> None:
    before = context.catalog.source(statement.name)
    if statement.or_replace and (statement.read_only or (before is not None and before.read_only)):
        kind = statement.kind.lower()
        raise StatementError(
            f"Cannot add {kind} '{statement.name}': CREATE OR REPLACE is not supported on source {kind}s."
        )


def _refuse_duplicates(columns: Iterable[ast.ColumnDefinition]) -> None:
    seen: set[str] = set()
    for column in columns:
        if column.name in seen:
            raise StatementError(f"Failed to prepare statement: Duplicate column names: `{column.name}`")
        seen.add(column.name)


def _check_formats_given(properties: dict[str, str]) -> None:
    if "VALUE_FORMAT" not in properties and "FORMAT" not in properties:
        raise StatementError(
            "Statement is missing the 'VALUE_FORMAT' property from the WITH clause. Either provide one or set a "
            "default via the 'ksql.persistence.default.format.value' config."
        )
    nothing = Schema((), (Column("ROWVAL", STRING),))
    key_format(properties, Format("KAFKA"), keyless=False)
    of_values = {name: text for name, text in properties.items() if name.startswith("VALUE_") or name == "FORMAT"}
    value_format(of_values, nothing, Format("KAFKA"))


def _with_default_formats(statement: ast.CreateSource, settings: Mapping[str, str]) -> ast.CreateSource:
    """Return the statement with the formats that SET gives to those who name none."""
    given = property_texts(statement.properties)
    added = {
        name: settings[setting]
        for name, setting in DEFAULT_FORMATS.items()
        if setting in settings and name not in given and "FORMAT" not in given
    }
    return with_properties(statement, added) if added else statement


def _with_default_format(statement: ast.CreateSource, properties: dict[str, str]) -> ast.CreateSource:
    if "KEY_FORMAT" in properties or "FORMAT" in properties:
        return statement
    return with_properties(statement, {"KEY_FORMAT": "KAFKA"})


def _with_inferred_columns(declaration: _Declaration) -> _Declaration:
    """Return the declaration with the columns that the registry knows, where the statement gives none."""
    statement, properties = declaration.statement, declaration.properties
    is_key = {"KEY", "PRIMARY KEY"}
    keys = [column for column in statement.columns if column.constraint in is_key]
    values = [column for column in statement.columns if column.constraint is None]
    headers = [column for column in statement.columns if column.constraint in {"HEADER", "HEADERS"}]
    common = properties.get("FORMAT", "")
    infers_key = (properties.get("KEY_FORMAT") or common).upper() == "AVRO" and not keys
    infers_value = (properties.get("VALUE_FORMAT") or common).upper() == "AVRO" and not values
    if infers_key:
        constraint: Literal["KEY", "PRIMARY KEY"] = "PRIMARY KEY" if statement.kind == "TABLE" else "KEY"
        keys = [ast.ColumnDefinition("ROWKEY", whole_of(_registered(declaration, "key")), constraint)]
    if infers_value:
        schema = _registered(declaration, "value")
        is_bare = properties.get("WRAP_SINGLE_VALUE", "true").lower() == "false"
        inferred = [("ROWVAL", whole_of(schema))] if is_bare else columns_of(schema, "ROWVAL")
        values = [ast.ColumnDefinition(name, kind) for name, kind in inferred]
    if not infers_key and not infers_value:
        return declaration
    columns = (*keys, *values, *headers)
    _refuse_duplicates(columns)
    return replace(declaration, statement=replace(statement, columns=columns))


def _registered(declaration: _Declaration, side: str) -> str:
    topic = declaration.properties["KAFKA_TOPIC"]
    subject = f"{topic}-{side}"
    found = declaration.world.registry.latest(subject)
    if found is not None:
        return found[1]
    raise StatementError(
        f"Schema for message {side}s on topic '{topic}' does not exist in the Schema Registry.\n"
        f"Subject: {subject}\n"
        "Possible causes include:\n"
        "- The topic itself does not exist\n"
        "\t-> Use SHOW TOPICS; to check\n"
        "- Messages on the topic are not serialized using a format Schema Registry supports\n"
        f"\t-> Use PRINT '{topic}' FROM BEGINNING; to verify\n"
        "- Messages on the topic have not been serialized using a Confluent Schema Registry supported serializer\n"
        "\t-> See https://docs.confluent.io/current/schema-registry/docs/serializer-formatter.html\n"
        "- The schema is registered on a different instance of the Schema Registry\n"
        "\t-> Use the REST API to list available subjects\t"
        "https://docs.confluent.io/current/schema-registry/docs/api.html#get--subjects\n"
        "- You do not have permissions to access the Schema Registry.\n"
        "\t-> See https://docs.confluent.io/current/schema-registry/docs/security.html"
    )


def _partitions(declaration: _Declaration) -> int:
    topic = declaration.properties["KAFKA_TOPIC"]
    known = declaration.world.partitions(topic)
    wanted = topic_count(declaration.properties, "PARTITIONS")
    if known is None and wanted is None:
        example = format_statement(with_properties(declaration.statement, {"PARTITIONS": 2}))
        raise KsqlError(
            f"Topic '{topic}' does not exist. If you want to create a new topic for the stream/table please re-run the "
            "statement providing the required 'PARTITIONS' configuration in the WITH clause (and optionally "
            f"'REPLICAS'). For example: {example}"
        )
    return known if known is not None else int(wanted or 1)


def _check_columns(statement: ast.CreateSource, *, windowed: bool) -> None:
    if not statement.columns:
        raise StatementError("No columns supplied.")
    for column in statement.columns:
        if column.name in _RESERVED:
            raise StatementError(
                f"'{column.name}' is a reserved column name. You cannot use it as a name for a column."
            )
        _check_constraint(statement.kind, column)
    _check_headers([column for column in statement.columns if column.constraint in {"HEADER", "HEADERS"}])
    if not any(column.constraint for column in statement.columns) and windowed:
        raise StatementError("Windowed sources require a key column.")
    if statement.kind == "TABLE" and not any(column.constraint for column in statement.columns):
        raise StatementError("Tables require a PRIMARY KEY. Please define the PRIMARY KEY.")


def _check_headers(columns: Sequence[ast.ColumnDefinition]) -> None:
    """Raise StatementError for headers that are declared twice."""
    seen: set[str | None] = set()
    for column in columns:
        if None in seen:
            raise StatementError("Schema already contains a HEADERS column.")
        if column.header in seen:
            raise StatementError(f"Schema already contains a HEADER('{column.header}') column.")
        seen.add(column.header)


def _check_constraint(kind: ast.SourceKind, column: ast.ColumnDefinition) -> None:
    wrong, right, sources = ("PRIMARY KEY", "KEY", "streams") if kind == "STREAM" else ("KEY", "PRIMARY KEY", "tables")
    if column.constraint == wrong:
        where = f"Line: {column.location.line}, Col: {column.location.column}: " if column.location else ""
        raise StatementError(
            f"{where}Column `{column.name}` is a '{wrong}' column: please use '{right}' for {sources}.\n{_KINDS}"
        )
    expected = {"HEADERS": _HEADERS, "HEADER": BYTES}.get(column.constraint or "")
    if expected is not None and column.type != expected:
        what = f"HEADER('{column.header}')" if column.constraint == "HEADER" else "HEADERS"
        raise StatementError(
            f"Failed to prepare statement: Invalid type for {what} column: expected {expected}, got {column.type}"
        )


def _schema(columns: Iterable[ast.ColumnDefinition]) -> Schema:
    keys = [Column(column.name, column.type) for column in columns if column.constraint in {"KEY", "PRIMARY KEY"}]
    headers = {"HEADERS": "", "HEADER": None}
    values = [
        Column(
            column.name,
            column.type,
            column.header if column.constraint == "HEADER" else headers.get(column.constraint or "-"),
        )
        for column in columns
        if column.constraint not in {"KEY", "PRIMARY KEY"}
    ]
    return Schema(tuple(keys), tuple(values))
