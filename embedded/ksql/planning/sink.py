"""Where a persistent query writes to: topic, formats and time column, from WITH and from what it reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.language import ast
from embedded.ksql.language.rewriting import walk
from embedded.ksql.planning.interface import SourceView
from embedded.ksql.planning.plan import Format, TimestampColumn
from embedded.ksql.types import Base, Column, Schema, SqlType

FormatName = Literal["KAFKA", "JSON", "AVRO", "DELIMITED", "NONE"]
_NAMES: dict[str, FormatName] = {
    "KAFKA": "KAFKA",
    "JSON": "JSON",
    "AVRO": "AVRO",
    "DELIMITED": "DELIMITED",
    "NONE": "NONE",
}
_DELIMITERS = {"TAB": "\t", "SPACE": " "}
_KAFKA_TYPES = {Base.INTEGER, Base.BIGINT, Base.DOUBLE, Base.STRING, Base.BYTES}
_NESTED = {Base.ARRAY, Base.MAP, Base.STRUCT}
_TIME_TYPES = {Base.BIGINT, Base.TIMESTAMP}


@dataclass(frozen=True, slots=True)
class SinkRequest:
    """What CREATE … AS or INSERT INTO asks for.

    ``statement_text`` is the statement's canonical text, which some messages repeat; ``insert_into`` is the target of
    an INSERT INTO, whose topic and formats are used instead of ``properties``.
    """

    name: str
    kind: Literal["STREAM", "TABLE"]
    properties: ast.Properties = ()
    statement_text: str = ""
    insert_into: SourceView | None = None


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """How the result is written."""

    topic: str
    key_format: Format
    value_format: Format
    timestamp: TimestampColumn | None


def sink_settings(request: SinkRequest, schema: Schema, source: SourceView, *, keyless: bool = False) -> SinkSettings:
    """Return topic, formats and time column. ``keyless``: PARTITION BY NULL has taken the key away.

    Raises StatementError for a time column that does not exist, KsqlError for columns that a format cannot hold.
    """
    target = request.insert_into
    if target is not None:
        return SinkSettings(target.topic, target.key_format, target.value_format, target.timestamp)
    properties = {name.upper(): _text(value) for name, value in request.properties}
    settings = SinkSettings(
        topic=properties.get("KAFKA_TOPIC") or request.name,
        key_format=_key_format(properties, schema, source.key_format, keyless=keyless),
        value_format=_value_format(properties, schema, source.value_format),
        timestamp=_timestamp(properties, schema),
    )
    _refuse_maps(schema.key)
    _check("Key", settings.key_format, schema.key)
    _check("Value", settings.value_format, schema.value)
    return settings


def unsupported(format_name: str, columns: tuple[Column, ...], suffix: str = "") -> str | None:
    """Return ksqlDB's reason why a format cannot hold columns, or None if it can. ``suffix`` is " KEY" for keys."""
    if format_name == "KAFKA":
        if len(columns) > 1:
            listed = ", ".join(f"`{column.name}` {column.type}{suffix}" for column in columns)
            return f"The 'KAFKA' format only supports a single field. Got: [{listed}]"
        for column in columns:
            if column.type.base not in _KAFKA_TYPES:
                return f"The 'KAFKA' format does not support type '{column.type.base.value}', column: `{column.name}`"
    if format_name == "DELIMITED":
        for column in columns:
            if column.type.base in _NESTED:
                kind = column.type.base.value
                return f"The 'DELIMITED' format does not support type '{kind}', column: `{column.name}`"
    return None


def _refuse_maps(keys: tuple[Column, ...]) -> None:
    for column in keys:
        if any(isinstance(part, SqlType) and part.base is Base.MAP for part in walk(column.type)):
            raise StatementError(
                "Map keys, including types that contain maps, are not supported as they may lead to unexpected "
                f"behavior due to inconsistent serialization. Key column name: `{column.name}`. "
                f"Column type: {column.type}. See https://github.com/confluentinc/ksql/issues/6621 for more."
            )


def _check(what: str, written: Format, columns: tuple[Column, ...]) -> None:
    suffix = " KEY" if what == "Key" else ""
    reason = unsupported(written.name, columns, suffix)
    if reason is None:
        return
    listed = ", ".join(f"`{column.name}` {column.type}{suffix}" for column in columns)
    features = "UNWRAP_SINGLES" if written.unwrapped else ""
    raise KsqlError(
        f"{what} format does not support schema.\nformat: {written.name}\n"
        f"schema: Persistence{{columns=[{listed}], features=[{features}]}}\nreason: {reason}"
    )


def _text(value: ast.Expression) -> str:
    match value:
        case ast.BooleanLiteral(flag):
            return "true" if flag else "false"
        case ast.StringLiteral(text):
            return text
        case ast.IntegerLiteral(number) | ast.LongLiteral(number):
            return str(number)
        case _:
            return ""


def _format_name(text: str) -> FormatName:
    try:
        return _NAMES[text.upper()]
    except KeyError:
        raise StatementError(f"Unknown format: {text.upper()}") from None


def _key_format(properties: dict[str, str], schema: Schema, inherited: Format, *, keyless: bool) -> Format:
    chosen = properties.get("KEY_FORMAT") or properties.get("FORMAT")
    if keyless and chosen is None:
        return Format("NONE")
    if chosen is None:
        return Format("KAFKA") if inherited.name == "NONE" and schema.key else inherited
    name = _format_name(chosen)
    options = inherited.options if name == inherited.name else ()
    options = _with_option(options, "DELIMITER", _delimiter(properties.get("KEY_DELIMITER")))
    return Format(name, _with_option(options, "FULL_SCHEMA_NAME", properties.get("KEY_AVRO_SCHEMA_FULL_NAME")))


def _value_format(properties: dict[str, str], schema: Schema, inherited: Format) -> Format:
    chosen = properties.get("VALUE_FORMAT") or properties.get("FORMAT")
    name = inherited.name if chosen is None else _format_name(chosen)
    kept = tuple(pair for pair in inherited.options if name == inherited.name and pair[0] == "DELIMITER")
    options = _with_option(kept, "DELIMITER", _delimiter(properties.get("VALUE_DELIMITER")))
    full_name = properties.get("VALUE_AVRO_SCHEMA_FULL_NAME") or properties.get("VALUE_SCHEMA_FULL_NAME")
    written = Format(name, _with_option(options, "FULL_SCHEMA_NAME", full_name))
    return replace(written, unwrapped=_unwrapped(properties.get("WRAP_SINGLE_VALUE"), written, schema))


def _unwrapped(wrap: str | None, written: Format, schema: Schema) -> bool:
    if wrap is None:
        return False
    if len(schema.value) != 1:
        raise StatementError("'WRAP_SINGLE_VALUE' is only valid for single-field value schemas")
    if written.name not in {"JSON", "AVRO"}:
        raise StatementError(f"Format '{written.name}' does not support 'WRAP_SINGLE_VALUE' set to '{wrap.lower()}'.")
    return wrap.lower() == "false"


def _with_option(options: tuple[tuple[str, str], ...], name: str, value: str | None) -> tuple[tuple[str, str], ...]:
    if value is None:
        return options
    return (*(pair for pair in options if pair[0] != name), (name, value))


def _delimiter(text: str | None) -> str | None:
    return None if text is None else _DELIMITERS.get(text.upper(), text)


def _timestamp(properties: dict[str, str], schema: Schema) -> TimestampColumn | None:
    text = properties.get("TIMESTAMP")
    if text is None:
        return None
    name = text[1:-1] if text.startswith("`") and text.endswith("`") else text.upper()
    column = next((column for column in (*schema.value, *schema.key) if column.name == name), None)
    if column is None:
        raise StatementError(f"The TIMESTAMP column set in the WITH clause does not exist in the schema: '{name}'")
    pattern = properties.get("TIMESTAMP_FORMAT")
    if column.type.base not in _TIME_TYPES and not (column.type.base is Base.STRING and pattern is not None):
        raise StatementError(
            f"Timestamp column, `{name}`, should be LONG(INT64), TIMESTAMP, "
            "or a String with a timestamp_format specified."
        )
    return TimestampColumn(name, pattern)
