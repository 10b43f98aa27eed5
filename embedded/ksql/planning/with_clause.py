"""What a WITH clause says of formats and times, for sources and results alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from embedded.ksql.errors import KsqlError, StatementError
from embedded.ksql.formats.support import message_against
from embedded.ksql.language import ast
from embedded.ksql.language.rewriting import walk
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
_REAL_SERVER_ONLY = {"PROTOBUF", "PROTOBUF_NOSR", "JSON_SR"}
_DELIMITERS = {"TAB": "\t", "SPACE": " "}
_TIME_TYPES = {Base.BIGINT, Base.TIMESTAMP}


def property_texts(properties: ast.Properties) -> dict[str, str]:
    """Return the properties by upper-case name, each value as text."""
    return {name.upper(): _text(value) for name, value in properties}


def check_format(what: str, written: Format, columns: tuple[Column, ...]) -> None:
    """Raise KsqlError if the format cannot hold the columns; ``what`` is "Key" or "Value"."""
    is_key = what == "Key"
    if is_key:
        refuse_maps(columns)
    message = message_against(written.name, columns, is_key, "UNWRAP_SINGLES" if written.unwrapped else "")
    if message is not None:
        raise KsqlError(message)


def refuse_maps(keys: Sequence[Column]) -> None:
    """Raise StatementError for a key that is or holds a MAP."""
    for column in keys:
        if any(isinstance(part, SqlType) and part.base is Base.MAP for part in walk(column.type)):
            raise StatementError(
                "Map keys, including types that contain maps, are not supported as they may lead to unexpected "
                f"behavior due to inconsistent serialization. Key column name: `{column.name}`. "
                f"Column type: {column.type}. See https://github.com/confluentinc/ksql/issues/6621 for more."
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
    name = text.upper()
    if name in _REAL_SERVER_ONLY:
        raise StatementError(f"The {name} format is not supported by the embedded engine; a ksqlDB server has it.")
    try:
        return _NAMES[name]
    except KeyError:
        raise StatementError(f"Unknown format: {name}") from None


def key_format(properties: dict[str, str], inherited: Format, *, keyless: bool) -> Format:
    """Return the format of keys; ``keyless``: PARTITION BY NULL has taken the key away."""
    chosen = properties.get("KEY_FORMAT", properties.get("FORMAT"))
    if keyless and (chosen or "NONE").upper() != "NONE":
        raise StatementError("Key format specified for stream without key columns.")
    if keyless:
        return Format("NONE")
    if chosen is None:
        return inherited
    name = _format_name(chosen)
    options = inherited.options if name == inherited.name else ()
    delimiter = properties.get("KEY_DELIMITER")
    full_name = properties.get("KEY_AVRO_SCHEMA_FULL_NAME") or properties.get("KEY_SCHEMA_FULL_NAME")
    return Format(name, _with_options(name, options, delimiter, full_name))


def value_format(properties: dict[str, str], schema: Schema, inherited: Format) -> Format:
    """Return the format of values. Raises StatementError for a WRAP_SINGLE_VALUE that makes no sense."""
    chosen = properties.get("VALUE_FORMAT", properties.get("FORMAT"))
    name = inherited.name if chosen is None else _format_name(chosen)
    kept = tuple(pair for pair in inherited.options if name == inherited.name and pair[0] == "DELIMITER")
    delimiter = properties.get("VALUE_DELIMITER")
    full_name = properties.get("VALUE_AVRO_SCHEMA_FULL_NAME") or properties.get("VALUE_SCHEMA_FULL_NAME")
    written = Format(name, _with_options(name, kept, delimiter, full_name))
    return replace(written, unwrapped=_unwrapped(properties.get("WRAP_SINGLE_VALUE"), written, schema))


def _unwrapped(wrap: str | None, written: Format, schema: Schema) -> bool:
    if wrap is None:
        return False
    if len(schema.value) != 1:
        raise StatementError("'WRAP_SINGLE_VALUE' is only valid for single-field value schemas")
    unwrapped = wrap.lower() == "false"
    if written.name in {"JSON", "AVRO"}:
        return unwrapped
    if not unwrapped:
        raise StatementError(f"Format '{written.name}' does not support 'WRAP_SINGLE_VALUE' set to '{wrap.lower()}'.")
    return False  # it has no other way to write a value


def _with_options(
    name: str, options: tuple[tuple[str, str], ...], delimiter: str | None, full_name: str | None
) -> tuple[tuple[str, str], ...]:
    """Return the options with those of WITH. Raises StatementError for one that the format does not have."""
    given = {"delimiter": (delimiter, "DELIMITED"), "fullSchemaName": (full_name, "AVRO")}
    wrong = [option for option, (value, owner) in given.items() if value is not None and name != owner]
    if wrong:
        raise StatementError(f"{name} does not support the following configs: [{', '.join(wrong)}]")
    if full_name is not None and not full_name.strip():
        raise StatementError("fullSchemaName cannot be empty. Format configuration: {fullSchemaName=}")
    options = _with_option(options, "DELIMITER", None if delimiter is None else _delimiter(delimiter))
    return _with_option(options, "FULL_SCHEMA_NAME", full_name)


def _with_option(options: tuple[tuple[str, str], ...], name: str, value: str | None) -> tuple[tuple[str, str], ...]:
    if value is None:
        return options
    return (*(pair for pair in options if pair[0] != name), (name, value))


def _delimiter(text: str) -> str:
    return _DELIMITERS.get(text.upper(), text)


def timestamp_name(properties: dict[str, str]) -> str | None:
    """Return the name of the column that TIMESTAMP names, None if it names none."""
    text = properties.get("TIMESTAMP")
    if text is None:
        return None
    return text[1:-1] if text.startswith("`") and text.endswith("`") else text.upper()


def timestamp_column(properties: dict[str, str], schema: Schema) -> TimestampColumn | None:
    """Return the column that TIMESTAMP names. Raises StatementError if there is none such, or of no fitting type."""
    name = timestamp_name(properties)
    if name is None:
        return None
    column = next((column for column in (*schema.value, *schema.key) if column.name == name), None)
    if column is None:
        raise StatementError(f"The TIMESTAMP column set in the WITH clause does not exist in the schema: '{name}'")
    pattern = properties.get("TIMESTAMP_FORMAT")
    if column.type.base is Base.STRING and pattern is None:
        raise StatementError("A String timestamp field has been specified without also specifying the timestamp_format")
    if column.type.base is not Base.STRING and pattern is not None:
        raise StatementError(
            "'TIMESTAMP_FORMAT' set in the WITH clause can only be used when the timestamp column is of type STRING."
        )
    if column.type.base not in _TIME_TYPES and column.type.base is not Base.STRING:
        raise StatementError(
            f"Timestamp column, `{name}`, should be LONG(INT64), TIMESTAMP, "
            "or a String with a timestamp_format specified."
        )
    return TimestampColumn(name, pattern)
