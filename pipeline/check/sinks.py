"""JDBC sinks: the table that each writes, and whether its columns can take the topic's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pipeline.check.fields import Field, Fields
from pipeline.check.finding import Finding
from pipeline.declared.connectors import Connector
from pipeline.declared.tables import Table, TableColumn

_TABLE = "collection.name.format"
_CHOOSES_FIELDS = "ReplaceField$Value"
_DECIMAL = re.compile(r"(?:DECIMAL|decimal|numeric)\((\d+), ?(\d+)\)")
_TEXT = frozenset({"text", "varchar", "char", "uuid", "json", "jsonb", "inet", "citext"})
_TAKES: Mapping[str, frozenset[str]] = {
    "STRING": _TEXT,
    "INTEGER": frozenset({"int", "integer", "bigint", "decimal", "numeric"}),
    "BIGINT": frozenset({"bigint", "decimal", "numeric"}),
    "DOUBLE": frozenset({"double precision"}),
    "BOOLEAN": frozenset({"boolean"}),
    "TIMESTAMP": frozenset({"timestamptz", "timestamp"}),
    "DATE": frozenset({"date"}),
    "TIME": frozenset({"time"}),
    "BYTES": frozenset({"bytea"}),
}


def check_sinks(connectors: list[Connector], tables: Mapping[str, Table], fields: Fields) -> Iterator[Finding]:
    """Yield what PostgreSQL would refuse of what each sink gives it."""
    for connector in connectors:
        if _TABLE not in connector.config:
            continue
        name = connector.config[_TABLE]
        table = tables.get(name)
        if table is None:
            what = f"{_TABLE}: no script in sql/ creates table {name}"
            why = "with schema.evolution=none the sink fails at its first record"
            yield Finding(connector.path, connector.line(_TABLE), what, why, f"add sql/NN_{name}.sql, or correct it")
            continue
        yield from _primary_key(connector, table)
        if _keeps_values(connector):
            for topic in connector.topics:
                if topic in fields.by_topic:
                    yield from _included(connector, fields.by_topic[topic])
                    yield from _columns(connector, table, fields.by_topic[topic])


def _keeps_values(connector: Connector) -> bool:
    """Whether records arrive with fields of the topic, all or those that a list names."""
    kinds = (connector.config.get(f"transforms.{name}.type", "") for name in _transforms(connector))
    return all(kind.endswith(("$Key", _CHOOSES_FIELDS)) for kind in kinds)


def _transforms(connector: Connector) -> list[str]:
    return [name.strip() for name in connector.config.get("transforms", "").split(",") if name.strip()]


def _included(connector: Connector, fields: list[Field]) -> Iterator[Finding]:
    """Yield where the list of fields that a sink writes is not that of the topic's schema."""
    for name in _transforms(connector):
        setting = f"transforms.{name}.include"
        if (
            connector.config.get(f"transforms.{name}.type", "").endswith(_CHOOSES_FIELDS)
            and setting in connector.config
        ):
            line = connector.line(setting)
            listed = [each.strip() for each in connector.config[setting].split(",")]
            for field in fields:
                if field.name not in listed:
                    what = f"{setting} leaves out {field.name}, see {field.path}:{field.line}"
                    yield Finding(connector.path, line, what, "its column would stay empty", "add it to the list")
            for each in sorted(set(listed) - {field.name for field in fields}):
                what = f"{setting} names {each}, which the topic's schema has not"
                yield Finding(connector.path, line, what, "it would never be written", "correct the list or the schema")


def _primary_key(connector: Connector, table: Table) -> Iterator[Finding]:
    setting = "primary.key.fields"
    wanted = [name.strip() for name in connector.config.get(setting, "").split(",") if name.strip()]
    if wanted and connector.config.get("insert.mode") == "upsert" and sorted(wanted) != sorted(table.primary_key):
        what = f"{setting}: {', '.join(wanted)} is not the primary key of {table.name}"
        why = f"the key there is ({', '.join(table.primary_key)}), and ON CONFLICT needs a unique index on just these"
        yield Finding(connector.path, connector.line(setting), what, why, "use the table's key")


def _columns(connector: Connector, table: Table, fields: list[Field]) -> Iterator[Finding]:
    written = {field.name.lower() for field in fields}
    if connector.config.get("primary.key.mode") == "record_key":
        written |= {name.strip() for name in connector.config.get("primary.key.fields", "").split(",")}
    for field in fields:
        column = table.columns.get(field.name.lower())
        if column is None:
            what = f"{field.name} has no column in {table.name}"
            why = f"connector {connector.name} would fail at the first record"
            fix = f"add the column in {table.path} and a migration for tables that exist"
            yield Finding(field.path, field.line, what, why, fix)
        elif reason := _refusal(field, column):
            why = f"see {table.path}:{column.line}; such records become dead letters"
            yield Finding(field.path, field.line, f"{field.name}: {reason}", why, "use one type in both")
    for column in table.columns.values():
        if column.not_null and not column.filled and column.name not in written:
            what = f"{table.name}.{column.name} is NOT NULL, has no default, and sink {connector.name} never sets it"
            fix = "give it a default, or the topic a field of this name"
            yield Finding(table.path, column.line, what, "every record would become a dead letter", fix)


def _refusal(field: Field, column: TableColumn) -> str | None:
    if field.type is None:
        return None
    if field.nullable and field.exact and column.not_null and not column.filled:
        return f"may be null, but {column.name} is NOT NULL"
    decimal = _DECIMAL.fullmatch(field.type)
    if decimal is None:
        base = column.type.partition("(")[0]
        return None if base in _TAKES.get(field.type, frozenset()) else f"{field.type} does not fit into {column.type}"
    return _decimal_refusal(field, column, int(decimal[1]), int(decimal[2]))


def _decimal_refusal(field: Field, column: TableColumn, precision: int, scale: int) -> str | None:
    """Say what would be lost. Sums of ksqlDB are wider on purpose: its queries die where a sum overflows."""
    if column.type in {"decimal", "numeric"}:
        return None
    room = _DECIMAL.fullmatch(column.type)
    if room is None:
        return f"{field.type} does not fit into {column.type}"
    too_wide = field.exact and precision - scale > int(room[1]) - int(room[2])
    return f"{field.type} does not fit into {column.type}" if scale > int(room[2]) or too_wide else None
