"""What a WITH clause says of formats and times, for sources and results alike."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.language import ast
from embedded.ksql.planning.plan import Format, TimestampColumn
from embedded.ksql.types import Base, Column, Schema

FormatName = Literal["KAFKA", "JSON", "AVRO", "DELIMITED", "NONE"]
_NAMES: dict[str, FormatName] = {
    "KAFKA": "KAFKA",
    "JSON": "JSON",
    "AVRO": "AVRO",
    "DELIMITED": "DELIMITED",
    "NONE": "NONE",
}
_REAL_SERVER_ONLY = {"PROTOBUF", "PROTOBUF_NOSR", "JSON_SR"}
_DELIMITERS = {"TAB": "\t", "SPACE": " "}
_KAFKA_TYPES = {Base.INTEGER, Base.BIGINT, Base.DOUBLE, Base.STRING, Base.BYTES}
_NESTED = {Base.ARRAY, Base.MAP, Base.STRUCT}
_TIME_TYPES = {Base.BIGINT, Base.TIMESTAMP}


def property_texts(properties: ast.Properties) -> dict[str, str]:
    """Return the properties by upper-case name, each value as text."""
    return {name.upper(): _text(value) for name, value in properties}


def check_format(what: str, written: Format, columns: tuple[Column, ...]) -> None:
    """Raise KsqlError if the format cannot hold the columns; ``what`` is "Key" or "Value"."""
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
    name = text.upper()
    if name in _REAL_SERVER_ONLY:
        raise StatementError(f"The {name} format is not supported by the embedded engine; a ksqlDB server has it.")
    try:
        return _NAMES[name]
    except KeyError:
        raise StatementError(f"Unknown format: {name}") from None


def key_format(properties: dict[str, str], schema: Schema, inherited: Format, *, keyless: bool) -> Format:
    """Return the format of keys; ``keyless``: PARTITION BY NULL has taken the key away."""
    chosen = properties.get("KEY_FORMAT") or properties.get("FORMAT")
    if keyless and chosen is None:
        return Format("NONE")
    if chosen is None:
        return Format("KAFKA") if inherited.name == "NONE" and schema.key else inherited
    name = _format_name(chosen)
    options = inherited.options if name == inherited.name else ()
    options = _with_option(options, "DELIMITER", _delimiter(properties.get("KEY_DELIMITER")))
    full_name = properties.get("KEY_AVRO_SCHEMA_FULL_NAME") or properties.get("KEY_SCHEMA_FULL_NAME")
    return Format(name, _with_option(options, "FULL_SCHEMA_NAME", full_name))


def value_format(properties: dict[str, str], schema: Schema, inherited: Format) -> Format:
    """Return the format of values. Raises StatementError for a WRAP_SINGLE_VALUE that makes no sense."""
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


def timestamp_column(properties: dict[str, str], schema: Schema) -> TimestampColumn | None:
    """Return the column that TIMESTAMP names. Raises StatementError if there is none such, or of no fitting type."""
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
