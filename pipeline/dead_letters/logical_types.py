"""Avro's logical types as Python values, field by field, so that one strange value spoils no other.

Records are read and written without their logical types: a timestamp in the year 20,000 is a long like any other, which
a repair can see and set right. Specification: Avro 1.12, "Logical Types".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = EPOCH.toordinal()
_EXACT = Context(prec=1000)
_UNITS = {"timestamp-millis": timedelta(milliseconds=1), "timestamp-micros": timedelta(microseconds=1)}


def plain_type(avro_type: Any) -> dict[str, Any]:
    """Return the type of a field as an object, without the null of an optional one."""
    if isinstance(avro_type, list):
        others = [branch for branch in avro_type if branch != "null"]
        avro_type = others[0] if len(others) == 1 else "union"
    return avro_type if isinstance(avro_type, dict) else {"type": avro_type}


def to_python(avro_type: Any, value: Any) -> Any:
    """Return a written value as what it means; as it is where it means nothing in Python."""
    declared = plain_type(avro_type)
    try:
        match declared.get("logicalType"), value:
            case ("timestamp-millis" | "timestamp-micros") as unit, int():
                return EPOCH + value * _UNITS[unit]
            case "date", int():
                return date.fromordinal(_EPOCH_DAY + value)
            case "decimal", bytes():
                return Decimal(int.from_bytes(value, "big", signed=True)).scaleb(-declared.get("scale", 0), _EXACT)
    except (OverflowError, ValueError, InvalidOperation):
        return value
    return value


def to_written(avro_type: Any, value: Any) -> Any:
    """Return what Avro writes for a value. Raises ValueError where it would not be the same value any more."""
    declared = plain_type(avro_type)
    match value:
        case datetime():
            if value.tzinfo is None:
                raise ValueError(f"{value} has no time zone")
            return (value - EPOCH) // _UNITS[declared.get("logicalType", "timestamp-millis")]
        case date():
            return value.toordinal() - _EPOCH_DAY
        case Decimal():
            unscaled = value.scaleb(declared.get("scale", 0), _EXACT)
            if unscaled != unscaled.to_integral_value():
                raise ValueError(f"{value} has more than {declared.get('scale', 0)} decimals")
            number = int(unscaled)
            return number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, "big", signed=True)
        case _:
            return value


def from_text(avro_type: Any, text: str) -> Any:
    """Return the value that a person's text means for a field. Raises ValueError."""
    declared = plain_type(avro_type)
    kind = str(declared.get("logicalType") or declared["type"])
    try:
        return _PARSERS.get(kind, json.loads)(text)
    except (ValueError, KeyError, InvalidOperation) as error:
        raise ValueError(f"{text!r} is no {kind}") from error


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_BOOLEANS: Mapping[str, bool] = {"true": True, "false": False}
_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "string": str,
    "enum": str,
    "uuid": str,
    "int": int,
    "long": int,
    "float": float,
    "double": float,
    "boolean": _BOOLEANS.__getitem__,
    "bytes": bytes.fromhex,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "timestamp-millis": _moment,
    "timestamp-micros": _moment,
}
