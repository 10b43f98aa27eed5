"""Which columns a format can hold, and ksqlDB's words for those it cannot."""

from __future__ import annotations

import re
from collections.abc import Sequence

from embedded.ksql.types import Base, Column, SqlType

_MAP_KEYS = {
    "JSON": "JSON only supports MAP types with STRING keys",
    "AVRO": "Avro only supports MAPs with STRING keys",
}
_AVRO_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KAFKA = frozenset({Base.INTEGER, Base.BIGINT, Base.DOUBLE, Base.STRING, Base.BYTES})
_COLLECTIONS = frozenset({Base.ARRAY, Base.MAP, Base.STRUCT})


def supports(format_name: str, columns: Sequence[Column], is_key: bool) -> bool:
    """Return whether the format can hold the columns."""
    return reason_against(format_name, columns, is_key) is None


def reason_against(format_name: str, columns: Sequence[Column], is_key: bool) -> str | None:
    """Return ksqlDB's reason why the format cannot hold the columns, or None."""
    match format_name:
        case "KAFKA":
            return _reason_against_kafka(columns, is_key)
        case "DELIMITED":
            return _first_unsupported("DELIMITED", columns, _COLLECTIONS)
        case "NONE" if columns:
            return f"The 'NONE' format can only be used when no columns are defined. Got: [{_listed(columns, is_key)}]"
        case "AVRO":
            return _reason_against_map_keys(format_name, columns) or _reason_against_names(columns)
        case _:
            return _reason_against_map_keys(format_name, columns)


def message_against(format_name: str, columns: Sequence[Column], is_key: bool, features: str = "") -> str | None:
    """Return the whole message "Key format does not support schema. …", or None; ``features`` is quoted in it."""
    reason = reason_against(format_name, columns, is_key)
    if reason is None:
        return None
    return (
        f"{'Key' if is_key else 'Value'} format does not support schema.\nformat: {format_name}\n"
        f"schema: Persistence{{columns=[{_listed(columns, is_key)}], features=[{features}]}}\nreason: {reason}"
    )


def _listed(columns: Sequence[Column], is_key: bool) -> str:
    return ", ".join(f"`{column.name}` {column.type}{' KEY' if is_key else ''}" for column in columns)


def _reason_against_kafka(columns: Sequence[Column], is_key: bool) -> str | None:
    if len(columns) > 1:
        return f"The 'KAFKA' format only supports a single field. Got: [{_listed(columns, is_key)}]"
    return _first_unsupported("KAFKA", columns, frozenset(Base) - _KAFKA)


def _first_unsupported(format_name: str, columns: Sequence[Column], refused: frozenset[Base]) -> str | None:
    for column in columns:
        if column.type.base in refused:
            return (
                f"The '{format_name}' format does not support type '{column.type.base.value}', column: `{column.name}`"
            )
    return None


def _reason_against_map_keys(format_name: str, columns: Sequence[Column]) -> str | None:
    words = {
        "JSON": "JSON only supports MAP types with STRING keys",
        "AVRO": "Avro only supports MAPs with STRING keys",
    }
    return words.get(format_name) if any(_has_other_keys(column.type) for column in columns) else None


def _reason_against_names(columns: Sequence[Column]) -> str | None:
    """Return why Avro cannot have a column's name: it begins with a letter or _, and digits may follow."""
    for column in columns:
        if not (column.name[0].isascii() and (column.name[0].isalpha() or column.name[0] == "_")):
            return f"Schema is not compatible with Avro: Illegal initial character: {column.name}"
        if _AVRO_NAME.fullmatch(column.name) is None:
            return f"Schema is not compatible with Avro: Illegal character in: {column.name}"
    return None


def _has_other_keys(kind: SqlType) -> bool:
    if kind.base is Base.MAP and kind.key is not None and kind.key.base is not Base.STRING:
        return True
    inner = [field for _, field in kind.fields] + ([kind.element] if kind.element is not None else [])
    return any(_has_other_keys(item) for item in inner)
