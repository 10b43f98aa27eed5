"""Which columns a format can hold, and ksqlDB's words for those it cannot."""

from __future__ import annotations

from collections.abc import Sequence

from embedded.ksql.types import Base, Column, SqlType

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
        case _:
            return _reason_against_map_keys(format_name, columns)


def message_against(format_name: str, columns: Sequence[Column], is_key: bool) -> str | None:
    """Return the whole message "Key format does not support schema. …", or None."""
    reason = reason_against(format_name, columns, is_key)
    if reason is None:
        return None
    return (
        f"{'Key' if is_key else 'Value'} format does not support schema.\nformat: {format_name}\n"
        f"schema: Persistence{{columns=[{_listed(columns, is_key)}], features=[]}}\nreason: {reason}"
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
    if format_name == "JSON" and any(_has_other_keys(column.type) for column in columns):
        return "JSON only supports MAP types with STRING keys"
    return None


def _has_other_keys(kind: SqlType) -> bool:
    if kind.base is Base.MAP and kind.key is not None and kind.key.base is not Base.STRING:
        return True
    inner = [field for _, field in kind.fields] + ([kind.element] if kind.element is not None else [])
    return any(_has_other_keys(item) for item in inner)
